package functions

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// variables is the whole environment of a process: what a provided.al2023
// function sees on AWS ("Working with Lambda environment variables"), then what
// cfg.Environment adds. Later entries win. Not set, as the host has no such
// places: LAMBDA_RUNTIME_DIR, LD_LIBRARY_PATH and X-Ray's; nor
// AWS_EXECUTION_ENV, which OS-only runtimes lack on AWS too.
func variables(cfg Config, fn *function, taskRoot, home, runtimeAPI string) []string {
	vars := []string{
		"LANG=en_US.UTF-8",
		"PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		// AWS sets neither. Without HOME an SDK asks the system for the user's
		// directory, and would find the developer's credentials in it.
		"HOME=" + home,
		"TMPDIR=" + home,
	}
	for _, name := range slices.Sorted(maps.Keys(fn.Environment)) {
		vars = append(vars, name+"="+fn.Environment[name])
	}
	vars = append(vars,
		"TZ=:UTC",
		"_HANDLER="+fn.Handler,
		"AWS_REGION="+cfg.Region,
		"AWS_DEFAULT_REGION="+cfg.Region,
		"AWS_LAMBDA_FUNCTION_NAME="+fn.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE="+strconv.Itoa(cmp.Or(fn.MemoryMB, 128)),
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/"+fn.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME="+newLogStream(time.Now()),
		"AWS_LAMBDA_RUNTIME_API="+runtimeAPI,
		"LAMBDA_TASK_ROOT="+filepath.Clean(taskRoot),
	)
	if cfg.Environment != nil {
		vars = append(vars, cfg.Environment(fn.Function)...)
	}
	return vars
}
