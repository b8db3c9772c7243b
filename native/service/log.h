/** The service's log: stderr, which is run/service.log once it is a daemon. */
#ifndef SERVICE_LOG_H
#define SERVICE_LOG_H

/** Writes one line with the time before it, in one piece. */
__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...);

#endif
