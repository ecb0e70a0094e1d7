//go:build tools

// Package tools pins OPA, which compiles the policies to Wasm and tests them.
package tools

import _ "github.com/open-policy-agent/opa"
