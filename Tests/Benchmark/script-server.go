// The peer of the benchmark of scripts: what a good Go program does, and no more. Hosts in a map by MAC address, the
// template parsed once, the answer with its length.
package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"text/template"
)

type host struct{ Name, MAC, Token string }

func main() {
	text, err := os.ReadFile(os.Args[2])
	if err != nil {
		panic(err)
	}
	script := template.Must(template.New("script").Parse(string(text)))
	count, _ := strconv.Atoi(os.Args[3])
	hosts := map[string]host{}
	for i := 0; i < count; i++ {
		mac := fmt.Sprintf("52-54-00-%02x-%02x-%02x", i>>16&255, i>>8&255, i&255)
		hosts[mac] = host{fmt.Sprintf("node%05d", i), mac, fmt.Sprintf("%032x", i)}
	}
	buffers := sync.Pool{New: func() any { return new(bytes.Buffer) }}
	http.HandleFunc("/ipxe/script", func(w http.ResponseWriter, r *http.Request) {
		found, ok := hosts[r.URL.Query().Get("mac")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		buffer := buffers.Get().(*bytes.Buffer)
		defer buffers.Put(buffer)
		buffer.Reset()
		if err := script.Execute(buffer, found); err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(buffer.Len()))
		w.Write(buffer.Bytes())
	})
	panic(http.ListenAndServe(os.Args[1], nil))
}
