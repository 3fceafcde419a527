// Checks the road's artefacts with Go's own notes and logs (golang.org/x/mod/sumdb), which share no code with ours.
//
//	notecheck note KEY... < note                      every KEY has signed it
//	notecheck proof LOGKEY < tlog-proof               the extra bytes are the proven leaf
//	notecheck consistency LOGKEY SIZE ROOT < proof    the checkpoint's log begins with that head
package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "notecheck: "+format+"\n", args...)
	os.Exit(1)
}

func verifier(key string) note.Verifier {
	v, err := note.NewVerifier(key)
	if err != nil {
		fail("key: %v", err)
	}
	return v
}

// open demands the signatures of all keys.
func open(text []byte, keys []string) *note.Note {
	var vs []note.Verifier
	for _, k := range keys {
		vs = append(vs, verifier(k))
	}
	n, err := note.Open(text, note.VerifierList(vs...))
	if err != nil {
		fail("note: %v", err)
	}
	if len(n.Sigs) != len(keys) {
		fail("note: %d of %d signatures", len(n.Sigs), len(keys))
	}
	return n
}

// checkpoint gives the signed tree.
func checkpoint(text string, logKey string) tlog.Tree {
	lines := strings.Split(open([]byte(text), []string{logKey}).Text, "\n")
	if len(lines) != 4 || lines[0] != verifier(logKey).Name() {
		fail("checkpoint: not three lines of this origin")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		fail("checkpoint: size: %v", err)
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		fail("checkpoint: root: %v", err)
	}
	return tlog.Tree{N: size, Hash: root}
}

func hashes(lines []string) (out []tlog.Hash) {
	for _, l := range lines {
		h, err := tlog.ParseHash(l)
		if err != nil {
			fail("hash: %v", err)
		}
		out = append(out, h)
	}
	return out
}

func main() {
	if len(os.Args) < 3 {
		fail("usage: note|proof|consistency KEY...")
	}
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		fail("input: %v", err)
	}
	args := os.Args[2:]
	switch os.Args[1] {
	case "note":
		fmt.Print(open(in, args).Text)
	case "proof":
		head, rest, ok := strings.Cut(string(in), "\n\n")
		lines := strings.Split(head, "\n")
		if !ok || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
			fail("proof: not a tlog-proof with extra data")
		}
		leaf, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
		if err != nil {
			fail("proof: extra: %v", err)
		}
		index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
		if err != nil {
			fail("proof: index: %v", err)
		}
		tree := checkpoint(rest, args[0])
		if err := tlog.CheckRecord(hashes(lines[3:]), tree.N, tree.Hash, index, tlog.RecordHash(leaf)); err != nil {
			fail("proof: %v", err)
		}
		os.Stdout.Write(leaf)
	case "consistency":
		head, rest, ok := strings.Cut(string(in), "\n\n")
		lines := strings.Split(head, "\n")
		if !ok || len(args) != 3 || lines[0] != "old "+args[1] {
			fail("consistency: does not start at %v", args[1:])
		}
		size, _ := strconv.ParseInt(args[1], 10, 64)
		root := hashes([]string{args[2]})[0]
		tree := checkpoint(rest, args[0])
		switch {
		case size == 0 || size == tree.N:
			if len(lines) != 1 || (size > 0 && root != tree.Hash) {
				fail("consistency: another root at the same size")
			}
		default:
			if err := tlog.CheckTree(hashes(lines[1:]), tree.N, tree.Hash, size, root); err != nil {
				fail("consistency: %v", err)
			}
		}
		fmt.Println(tree.N, tree.Hash)
	default:
		fail("unknown command %q", os.Args[1])
	}
}
