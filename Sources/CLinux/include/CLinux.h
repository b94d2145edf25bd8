/* Linux calls that Glibc's Swift module does not offer. The header must not define _GNU_SOURCE: Glibc's own module was
   built without it, and debug builds fail on the difference. Nor may it include what declares types that Glibc's module has, too
   (sockaddr_storage, epoll_event and others): which of the two modules such a type belongs to depends on what a compiler loads
   first, so that the same code builds or does not. Addresses are room for a sockaddr_storage. */
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>

/* What an epoll(7) set says of one of its descriptors. */
typedef struct {
    int descriptor;
    /* Of those below, or errors and hang-ups, which are told without being asked for. */
    uint32_t conditions;
} clinux_condition;

static const uint32_t clinux_readable = 0x1;  /* EPOLLIN */
static const uint32_t clinux_writable = 0x4;  /* EPOLLOUT */
/* EPOLLET: told of once for each thing that happens, not as long as it is so. */
static const uint32_t clinux_once = UINT32_C(1) << 31;
/* EPOLLONESHOT: told of once, and then not until it is asked for again. */
static const uint32_t clinux_one_shot = UINT32_C(1) << 30;

/* An epoll(7) set, close-on-exec. A descriptor, or -1 with errno. */
int clinux_poll_create(void);

/* Adds a descriptor to a set, has it watched for something else, or takes it out, which has to be done before it is closed where
   another descriptor of the same file stays open. 0, or -1 with errno. */
int clinux_poll_add(int poll, int descriptor, uint32_t conditions);
int clinux_poll_change(int poll, int descriptor, uint32_t conditions);
int clinux_poll_remove(int poll, int descriptor);

/* Waits so many milliseconds, or for ever (-1), and fills in what happened: as many as there is room for, at most 512. Their
   number, or -1 with errno. */
int clinux_poll_wait(int poll, clinux_condition *conditions, int capacity, int milliseconds);

/* eventfd(2), non-blocking and close-on-exec: readable after it was written to, until it is read. A descriptor, or -1 with errno. */
int clinux_event_create(void);

/* Makes it readable. */
void clinux_event_signal(int event);

/* Makes it quiet again. */
void clinux_event_clear(int event);

/* renameat2(2) with RENAME_NOREPLACE: fails with EEXIST when `to` exists. 0, or -1 with errno. */
int clinux_rename_noreplace(const char *from, const char *to);

/* fallocate(2) with FALLOC_FL_KEEP_SIZE: reserves room without changing the size. 0, or -1 with errno. */
int clinux_reserve(int file, int64_t size);

/* sync_file_range(2) with SYNC_FILE_RANGE_WRITE over the whole file: starts writing back and does not wait. */
int clinux_start_writeback(int file);

/* syncfs(2): everything written so far to the file system that holds the open file. 0, or -1 with errno. */
int clinux_synchronize_file_system(int file);

/* Who sent a datagram, and where to. */
typedef struct {
    _Alignas(8) unsigned char remote[128];
    uint32_t remote_length;
    /* The address that it was sent to: port 0. Length 0 when the kernel did not say. */
    _Alignas(8) unsigned char local[128];
    uint32_t local_length;
    /* The interface it came in on; 0 when unknown. */
    int interface_index;
} clinux_datagram_addresses;

/* Asks the kernel to tell the destination address of each datagram. 0, or -1 with errno. */
int clinux_enable_packet_info(int socket, int family);

/* recvmsg(2) with the addresses. Bytes received, or -1 with errno. */
intptr_t clinux_receive(int socket, void *buffer, size_t capacity, clinux_datagram_addresses *addresses);

/* sendmsg(2) to `remote` from the address `local`, whose port is not used: a socket bound to every address would else
   answer from the one that routing prefers. The unspecified address leaves the choice to the kernel. Bytes sent, or -1
   with errno. */
intptr_t clinux_send_from(int socket, const void *bytes, size_t count, const void *remote, uint32_t remote_length,
                          const void *local);

/* The MTU of the path of a connected UDP socket; -1 with errno when the kernel does not know. */
int clinux_path_mtu(int socket, int family);

/* Lets the kernel fragment instead of setting DF (IP_MTU_DISCOVER = DONT). 0, or -1 with errno. */
int clinux_allow_fragments(int socket, int family);

/* preadv2(2) with RWF_NOWAIT: 0 when a part of the file is not in the page cache, by a look at it every 128 KiB; else 1, also where
   the file system cannot tell. */
int clinux_is_cached(int file, int64_t offset, int64_t count);

/* preadv(2): `count` blocks of `size` bytes each from `offset` on, with `gap` bytes before each that stay as they are; the last
   has `last` bytes. At most 64. Bytes read, or -1 with errno. */
intptr_t clinux_read_blocks(int file, int64_t offset, void *buffer, size_t count, size_t gap, size_t size, size_t last);

/* sendmsg(2) with UDP_SEGMENT (udp(7)): one call, datagrams of `segment` bytes, the last may be shorter. At most 64 of them, and
   65507 bytes. All bytes, or -1 with errno: EINVAL, EIO, EMSGSIZE or ENOPROTOOPT where kernel, card or path do not take it so. */
intptr_t clinux_send_segments(int socket, const void *bytes, size_t count, size_t segment);

/* The same with sendmmsg(2), which sends as many whole datagrams as the socket has room for. Their number, or -1 with errno
   when the first was not sent. */
int clinux_send_datagrams(int socket, const void *bytes, size_t count, size_t segment);

/* accept4(2), non-blocking and close-on-exec; `remote` has room for 128 bytes. A descriptor, or -1 with errno. */
int clinux_accept(int socket, void *remote);

/* tcp(7), TCP_INFO: the shortest round trip that a connection has seen, in microseconds; -1 where the kernel knows none. */
int64_t clinux_round_trip(int socket);

/* Whether descriptors are left for a child's pipes: 1 or 0. swift-subprocess 1.0.2 ends the program with SIGILL ("FileDescriptor was
   not closed") where it has some of them and cannot have the next, which is where 1 to 10 are left; so whoever starts a child looks
   first, and asks for as many more as connections may take meanwhile. */
int clinux_can_start_child(void);

/* Asks one DNS server (IPv4, network byte order) for the IPv4 addresses of a name, through glibc's resolver: at most `capacity` of
   them go into `addresses`. How many there are; 0 when the name has none; -1 when the server does not answer. */
int clinux_resolve(uint32_t server, const char *name, uint32_t *addresses, int capacity);

/* From here on this process may use memory and the files that it has open, and nothing else: every other call fails with
   EPERM (seccomp(2), a filter that cannot be taken off). 0, or -1 with errno. */
int clinux_confine(void);

#endif
