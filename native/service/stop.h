/** Ending the service that runs in the current folder. */
#ifndef SERVICE_STOP_H
#define SERVICE_STOP_H

#include "../ring/outcome.h"

/** Ends it, removes what it or one that crashed left behind, and prints the cache's hit ratio. */
enum outcome service_stop(void);

#endif
