/** The service's log: stderr, which is run/service.log once it is a daemon. */
#ifndef SERVICE_LOG_H
#define SERVICE_LOG_H

#include <stdbool.h>

/** Writes one line with the time before it, in one piece. */
__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...);

/** The same for what a client can cause, as often as it likes: after the hundredth line no more are written. */
#define log_of_client(...) (log_may_tell_of_client() ? log_line(__VA_ARGS__) : (void)0)
bool log_may_tell_of_client(void);

#endif
