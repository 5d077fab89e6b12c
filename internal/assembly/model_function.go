package assembly

import "time"

// Function is an AWS::Lambda::Function.
type Function struct {
	Place
	Name         string
	ARN          string
	RoleARN      string
	Runtime      string // "provided.al2023"
	Handler      string
	Architecture string // "arm64" or "x86_64"
	MemoryMB     int    // 128 by default
	Timeout      time.Duration

	Environment map[string]string
	// Unresolved are the variables whose values are known on AWS only.
	Unresolved map[string]Unknown

	// ReservedConcurrency bounds how many events run at once; -1 where unset.
	ReservedConcurrency int

	// Source is where to build it from; nil for a function without our metadata.
	Source *FunctionSource

	// CodeDir is the asset folder with its code; empty where the assembly has none.
	CodeDir string
}

// FunctionSource names a Go main package, independent of any machine.
type FunctionSource struct {
	Module  string // "github.com/gatewright/gatewright"
	Version string // module version; empty for the app's own module
	Package string // import path
}

// Permission is an AWS::Lambda::Permission. It is for the function, version or
// alias that it names, and for no other of them.
type Permission struct {
	Place
	FunctionARN string
	Action      string
	Principal   string
	SourceARN   string // may hold * and ?; empty for any source

	// Condition is what it also asks for and what cannot be checked here
	// ("EventSourceToken", "SourceAccount 111122223333"). A permission with one
	// grants nothing here. Empty for none.
	Condition string
}
