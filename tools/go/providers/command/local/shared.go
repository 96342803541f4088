package local

import (
	"bytes"
	"sync"
)

// shared is a buffer that both streams of a process write to, each from its own goroutine.
type shared struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (s *shared) add(data []byte) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.text.Write(data)
}

func (s *shared) String() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.text.String()
}
