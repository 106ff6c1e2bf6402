package harness

import (
	"os"
	"time"
)

// parentCheck is how often a child process looks whether it is orphaned.
const parentCheck = 500 * time.Millisecond

// FollowParent ends this process when its parent has ended, however it did: a
// run that was killed leaves no spec process that goes on firing.
func FollowParent() {
	parent := os.Getppid()
	if parent == 1 {
		os.Exit(1)
	}
	go func() {
		for range time.Tick(parentCheck) {
			if os.Getppid() != parent {
				os.Exit(1)
			}
		}
	}()
}
