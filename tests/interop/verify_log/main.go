// Checks what a log of ours says with golang.org/x/mod alone: note.Open, tlog.CheckRecord, tlog.CheckTree.
// One JSON document on standard input, one line on standard output; exit code 1 where anything does not verify.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type record struct {
	Index int64
	Data  []byte
	Proof [][]byte
}

type head struct {
	Note  string
	Proof [][]byte // from it to the checkpoint
}

type question struct {
	Vkey       string
	Checkpoint string
	Records    []record
	Heads      []head
}

func main() {
	var asked question
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		refuse("question", err)
	}
	verifier, err := note.NewVerifier(asked.Vkey)
	if err != nil {
		refuse("vkey", err)
	}
	size, root := open(asked.Checkpoint, verifier)
	for _, each := range asked.Records {
		if err := tlog.CheckRecord(hashes(each.Proof), size, root, each.Index, tlog.RecordHash(each.Data)); err != nil {
			refuse(fmt.Sprintf("record %d", each.Index), err)
		}
	}
	for _, each := range asked.Heads {
		old, before := open(each.Note, verifier)
		if err := tlog.CheckTree(tlog.TreeProof(hashes(each.Proof)), size, root, old, before); err != nil {
			refuse(fmt.Sprintf("head %d", old), err)
		}
	}
	fmt.Printf("accepted %d %d %d\n", size, len(asked.Records), len(asked.Heads))
}

func open(text string, verifier note.Verifier) (int64, tlog.Hash) {
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		refuse("note", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		refuse("checkpoint", fmt.Errorf("not three lines under the name of the log"))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		refuse("size", err)
	}
	raw, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(raw) != tlog.HashSize {
		refuse("root", fmt.Errorf("not a hash"))
	}
	return size, tlog.Hash(*(*[tlog.HashSize]byte)(raw))
}

func hashes(proof [][]byte) []tlog.Hash {
	found := make([]tlog.Hash, len(proof))
	for at, each := range proof {
		if len(each) != tlog.HashSize {
			refuse("proof", fmt.Errorf("not a hash"))
		}
		copy(found[at][:], each)
	}
	return found
}

func refuse(what string, err error) {
	fmt.Printf("refused %s: %v\n", what, err)
	os.Exit(1)
}
