//go:build tools

// Package tools pins the Temporal command line program. A module of its own is needed because
// the program's own go.mod replaces cliext by a relative folder, which `go install` refuses.
package tools

import _ "github.com/temporalio/cli/cmd/temporal"
