//go:build tools

// Pins the newer restic that tests compare with Debian's: what a person has who takes it from upstream.
package tools

import _ "github.com/restic/restic/cmd/restic"
