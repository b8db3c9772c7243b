#include "log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define MOST_OF_CLIENTS 100u

bool log_may_tell_of_client(void)
{
  static _Atomic unsigned told; // both threads do
  unsigned before = atomic_load(&told) > MOST_OF_CLIENTS ? MOST_OF_CLIENTS + 1 : atomic_fetch_add(&told, 1);
  if (before == MOST_OF_CLIENTS) log_line("more of that kind is not told");
  return before < MOST_OF_CLIENTS;
}

void log_line(const char *format, ...)
{
  char text[512];
  time_t now = time(NULL);
  struct tm parts;
  size_t length = strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S ", localtime_r(&now, &parts));
  va_list arguments;
  va_start(arguments, format);
  int more = vsnprintf(text + length, sizeof text - length - 1, format, arguments);
  va_end(arguments);
  if (more > 0) length += (size_t)more < sizeof text - length - 1 ? (size_t)more : sizeof text - length - 2;
  text[length++] = '\n';
  // A log that cannot be written has nowhere to say so.
  if (write(STDERR_FILENO, text, length) < 0) return;
}
