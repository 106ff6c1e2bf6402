package follow

import "time"

// readHeaderTimeout bounds how long a client of a side port may take to ask.
const readHeaderTimeout = 5 * time.Second
