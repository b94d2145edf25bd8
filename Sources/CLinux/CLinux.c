#define _GNU_SOURCE
#include "CLinux.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/tcp.h>
#include <stddef.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

_Static_assert(sizeof(struct sockaddr_storage) == 128, "the header has room for as many bytes");
_Static_assert(EPOLLIN == 0x1 && EPOLLOUT == 0x4 && EPOLLET == UINT32_C(1) << 31 &&
                   EPOLLONESHOT == UINT32_C(1) << 30,
               "as in the header");

int clinux_poll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static int control(int poll, int operation, int descriptor, uint32_t conditions) {
    struct epoll_event event = {.events = conditions, .data = {.fd = descriptor}};
    return epoll_ctl(poll, operation, descriptor, &event);
}

int clinux_poll_add(int poll, int descriptor, uint32_t conditions) {
    return control(poll, EPOLL_CTL_ADD, descriptor, conditions);
}

int clinux_poll_change(int poll, int descriptor, uint32_t conditions) {
    return control(poll, EPOLL_CTL_MOD, descriptor, conditions);
}

int clinux_poll_remove(int poll, int descriptor) { return control(poll, EPOLL_CTL_DEL, descriptor, 0); }

int clinux_poll_wait(int poll, clinux_condition *conditions, int capacity, int milliseconds) {
    struct epoll_event events[512];
    int limit = (int)(sizeof events / sizeof *events);
    int count = epoll_wait(poll, events, capacity < limit ? capacity : limit, milliseconds);
    for (int index = 0; index < count; index++) {
        conditions[index].descriptor = events[index].data.fd;
        conditions[index].conditions = events[index].events;
    }
    return count;
}

int clinux_event_create(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void clinux_event_signal(int event) {
    uint64_t one = 1;
    /* It cannot be full: nobody signals 2^64 times between two looks. */
    (void)!write(event, &one, sizeof one);
}

void clinux_event_clear(int event) {
    uint64_t count;
    (void)!read(event, &count, sizeof count);
}

int clinux_rename_noreplace(const char *from, const char *to) {
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

int clinux_reserve(int file, int64_t size) { return fallocate(file, FALLOC_FL_KEEP_SIZE, 0, size); }

int clinux_start_writeback(int file) { return sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WRITE); }

int clinux_synchronize_file_system(int file) { return syncfs(file); }

int clinux_enable_packet_info(int socket, int family) {
    int on = 1;
    if (family == AF_INET6) {
        /* A dual-stack socket also receives IPv4, whose destination comes as IP_PKTINFO. */
        setsockopt(socket, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
        return setsockopt(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    }
    return setsockopt(socket, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
}

intptr_t clinux_receive(int socket, void *buffer, size_t capacity, clinux_datagram_addresses *addresses) {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
    } control;
    struct iovec vector = {.iov_base = buffer, .iov_len = capacity};
    struct msghdr message = {
        .msg_name = addresses->remote,
        .msg_namelen = sizeof addresses->remote,
        .msg_iov = &vector,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };
    ssize_t count = recvmsg(socket, &message, 0);
    if (count < 0) return -1;
    addresses->remote_length = message.msg_namelen;
    addresses->interface_index = 0;
    memset(addresses->local, 0, sizeof addresses->local);
    addresses->local_length = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(header), sizeof info);
            struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr = info.ipi_addr};
            memcpy(addresses->local, &local, sizeof local);
            addresses->local_length = sizeof local;
            addresses->interface_index = info.ipi_ifindex;
        } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(header), sizeof info);
            struct sockaddr_in6 local = {.sin6_family = AF_INET6, .sin6_addr = info.ipi6_addr};
            if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) local.sin6_scope_id = info.ipi6_ifindex;
            memcpy(addresses->local, &local, sizeof local);
            addresses->local_length = sizeof local;
            addresses->interface_index = (int)info.ipi6_ifindex;
        }
    }
    return count;
}

intptr_t clinux_send_from(int socket, const void *bytes, size_t count, const void *remote, uint32_t remote_length,
                          const void *local) {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
    } control;
    memset(&control, 0, sizeof control);
    struct iovec vector = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {
        .msg_name = (void *)remote,
        .msg_namelen = remote_length,
        .msg_iov = &vector,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
    };
    struct cmsghdr *header = &control.align;
    if (((const struct sockaddr *)local)->sa_family == AF_INET) {
        struct in_pktinfo info = {.ipi_spec_dst = ((const struct sockaddr_in *)local)->sin_addr};
        header->cmsg_level = IPPROTO_IP;
        header->cmsg_type = IP_PKTINFO;
        header->cmsg_len = CMSG_LEN(sizeof info);
        message.msg_controllen = CMSG_SPACE(sizeof info);
        memcpy(CMSG_DATA(header), &info, sizeof info);
    } else {
        const struct sockaddr_in6 *address = (const struct sockaddr_in6 *)local;
        struct in6_pktinfo info = {.ipi6_addr = address->sin6_addr, .ipi6_ifindex = address->sin6_scope_id};
        header->cmsg_level = IPPROTO_IPV6;
        header->cmsg_type = IPV6_PKTINFO;
        header->cmsg_len = CMSG_LEN(sizeof info);
        message.msg_controllen = CMSG_SPACE(sizeof info);
        memcpy(CMSG_DATA(header), &info, sizeof info);
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

int clinux_path_mtu(int socket, int family) {
    int mtu = 0;
    socklen_t length = sizeof mtu;
    int result = family == AF_INET6 ? getsockopt(socket, IPPROTO_IPV6, IPV6_MTU, &mtu, &length)
                                    : getsockopt(socket, IPPROTO_IP, IP_MTU, &mtu, &length);
    return result < 0 ? -1 : mtu;
}

int clinux_allow_fragments(int socket, int family) {
    int value = IP_PMTUDISC_DONT;
    if (family == AF_INET6) {
        value = IPV6_PMTUDISC_DONT;
        return setsockopt(socket, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &value, sizeof value);
    }
    return setsockopt(socket, IPPROTO_IP, IP_MTU_DISCOVER, &value, sizeof value);
}

/* As many as UDP_MAX_SEGMENTS of Linux. */
#define MAXIMUM_BLOCKS 64
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#endif

int clinux_is_cached(int file, int64_t offset, int64_t count) {
    const int64_t step = 128 << 10;
    char byte;
    struct iovec vector = {.iov_base = &byte, .iov_len = 1};
    for (int64_t place = 0; place < count; place += step) {
        if (preadv2(file, &vector, 1, offset + place, RWF_NOWAIT) < 0 && errno == EAGAIN) return 0;
    }
    if (count > 0 && preadv2(file, &vector, 1, offset + count - 1, RWF_NOWAIT) < 0 && errno == EAGAIN) return 0;
    return 1;
}

int clinux_accept(int socket, void *remote) {
    socklen_t length = sizeof(struct sockaddr_storage);
    return accept4(socket, remote, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int64_t clinux_round_trip(int socket) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return -1;
    if (length < offsetof(struct tcp_info, tcpi_min_rtt) + sizeof info.tcpi_min_rtt || info.tcpi_min_rtt == UINT32_MAX) return -1;
    return info.tcpi_min_rtt;
}

intptr_t clinux_read_blocks(int file, int64_t offset, void *buffer, size_t count, size_t gap, size_t size, size_t last) {
    struct iovec vectors[MAXIMUM_BLOCKS];
    if (count == 0 || count > MAXIMUM_BLOCKS) {
        errno = EINVAL;
        return -1;
    }
    for (size_t index = 0; index < count; index++) {
        vectors[index].iov_base = (char *)buffer + index * (gap + size) + gap;
        vectors[index].iov_len = index + 1 == count ? last : size;
    }
    return preadv(file, vectors, (int)count, offset);
}

intptr_t clinux_send_segments(int socket, const void *bytes, size_t count, size_t segment) {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(uint16_t))];
    } control;
    memset(&control, 0, sizeof control);
    struct iovec vector = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    struct cmsghdr *header = &control.align;
    uint16_t size = (uint16_t)segment;
    header->cmsg_level = IPPROTO_UDP;
    header->cmsg_type = UDP_SEGMENT;
    header->cmsg_len = CMSG_LEN(sizeof size);
    memcpy(CMSG_DATA(header), &size, sizeof size);
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

int clinux_send_datagrams(int socket, const void *bytes, size_t count, size_t segment) {
    struct iovec vectors[MAXIMUM_BLOCKS];
    struct mmsghdr messages[MAXIMUM_BLOCKS];
    unsigned number = 0;
    memset(messages, 0, sizeof messages);
    for (size_t offset = 0; offset < count && number < MAXIMUM_BLOCKS; offset += segment, number++) {
        vectors[number].iov_base = (char *)bytes + offset;
        vectors[number].iov_len = count - offset < segment ? count - offset : segment;
        messages[number].msg_hdr.msg_iov = &vectors[number];
        messages[number].msg_hdr.msg_iovlen = 1;
    }
    return sendmmsg(socket, messages, number, MSG_NOSIGNAL);
}

#if defined(__x86_64__)
#define CONFINED_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define CONFINED_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the system calls of this architecture are not listed"
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ALLOW(number) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

int clinux_confine(void) {
    struct sock_filter filter[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CONFINED_ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
        ALLOW(__NR_read), ALLOW(__NR_pread64), ALLOW(__NR_readv), ALLOW(__NR_lseek),
        ALLOW(__NR_write), ALLOW(__NR_writev), ALLOW(__NR_close),
        ALLOW(__NR_brk), ALLOW(__NR_mmap), ALLOW(__NR_munmap), ALLOW(__NR_mremap), ALLOW(__NR_mprotect),
        ALLOW(__NR_madvise), ALLOW(__NR_futex), ALLOW(__NR_sched_yield),
        ALLOW(__NR_rt_sigaction), ALLOW(__NR_rt_sigprocmask), ALLOW(__NR_rt_sigreturn), ALLOW(__NR_sigaltstack),
        ALLOW(__NR_clock_gettime), ALLOW(__NR_gettimeofday), ALLOW(__NR_getrandom),
        ALLOW(__NR_getpid), ALLOW(__NR_gettid), ALLOW(__NR_exit), ALLOW(__NR_exit_group),
        ALLOW(__NR_fstat),
        /* glibc asks for the state of an open file by this one: only with AT_EMPTY_PATH, so that no path is looked at. */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_newfstatat, 0, 3),
        LOAD(args[3]),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, AT_EMPTY_PATH, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -1;
    /* Every thread of the process, not the calling one alone. */
    long status = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    if (status > 0) errno = ESRCH;
    return status ? -1 : 0;
}

int clinux_resolve(uint32_t server, const char *name, uint32_t *addresses, int capacity) {
    struct __res_state state;
    memset(&state, 0, sizeof state);
    if (res_ninit(&state) != 0) return -1;
    state.nscount = 1;
    memset(&state.nsaddr_list[0], 0, sizeof state.nsaddr_list[0]);
    state.nsaddr_list[0].sin_family = AF_INET;
    state.nsaddr_list[0].sin_addr.s_addr = server;
    state.nsaddr_list[0].sin_port = htons(53);
    state.retrans = 2;
    state.retry = 2;
    unsigned char answer[4096];
    int length = res_nquery(&state, name, ns_c_in, ns_t_a, answer, sizeof answer);
    int failure = state.res_h_errno;
    res_nclose(&state);
    if (length < 0) return failure == HOST_NOT_FOUND || failure == NO_DATA ? 0 : -1;
    ns_msg message;
    if (ns_initparse(answer, length, &message) != 0) return -1;
    int found = 0;
    for (int index = 0; index < ns_msg_count(message, ns_s_an); index++) {
        ns_rr record;
        if (ns_parserr(&message, ns_s_an, index, &record) != 0) return -1;
        if (ns_rr_type(record) != ns_t_a || ns_rr_rdlen(record) != 4) continue;
        if (found < capacity) memcpy(&addresses[found], ns_rr_rdata(record), 4);
        found++;
    }
    return found < capacity ? found : capacity;
}

int clinux_can_start_child(void) {
    enum { count = 64 };
    int held[count];
    int got = 0;
    while (got < count) {
        held[got] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (held[got] < 0) break;
        got++;
    }
    for (int index = 0; index < got; index++) close(held[index]);
    return got == count;
}
