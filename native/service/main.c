/** bin/service start|stop: see usage(). */
#include "daemon.h"
#include "stop.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static enum outcome usage(void)
{
  return fail(OUTCOME_USAGE, "usage: service start [--image PATH] [--idle SECONDS] [--spin MICROSECONDS] [--cache SHARE] [--io uring|events|threads] [--foreground]\n"
                             "       service stop\n"
                             "  --image       the disk image (disk1.img)\n"
                             "  --idle        ends after so long without a request; 0: never (300)\n"
                             "  --spin        looks for work so long before it sleeps (300)\n"
                             "  --cache       part of the image's size that the cache may take, up to 0.01 (0.01)\n"
                             "  --io          how the image is read: io_uring that waits for clients too (Linux 6.7),\n"
                             "                without that (6.1), or threads; else the first that the kernel can\n"
                             "  --foreground  does not become a daemon");
}

static bool parse_number(const char *text, unsigned most, unsigned *number)
{
  char *end;
  errno = 0;
  long value = strtol(text, &end, 10);
  *number = (unsigned)value;
  return errno == 0 && end != text && *end == 0 && value >= 0 && value <= (long)most;
}

static bool parse_share(const char *text, double *share)
{
  char *end;
  *share = strtod(text, &end);
  return end != text && *end == 0 && *share >= 0 && *share <= 0.01;
}

static bool parse_way(const char *text, enum io_way *way)
{
  *way = strcmp(text, "uring") == 0 ? IO_URING : strcmp(text, "events") == 0 ? IO_EVENTS : IO_THREADS;
  return *way != IO_THREADS || strcmp(text, "threads") == 0;
}

static bool parse_start(int count, char **words, struct start_options *options)
{
  static const struct option known[] = {{"image", required_argument, NULL, 'i'}, {"idle", required_argument, NULL, 'e'},
                                        {"spin", required_argument, NULL, 's'},  {"cache", required_argument, NULL, 'c'},
                                        {"io", required_argument, NULL, 'w'},    {"foreground", no_argument, NULL, 'f'},
                                        {NULL, 0, NULL, 0}};
  bool good = true;
  for (int option; good && (option = getopt_long(count, words, "", known, NULL)) != -1;) {
    if (option == 'i') options->image = optarg;
    else if (option == 'e') good = parse_number(optarg, 10000000, &options->idle_seconds);
    else if (option == 's') good = parse_number(optarg, 1000000, &options->spin_us);
    else if (option == 'c') good = parse_share(optarg, &options->cache_share);
    else if (option == 'w') good = parse_way(optarg, &options->way);
    else if (option == 'f') options->foreground = true;
    else good = false;
  }
  return good && optind == count;
}

int main(int count, char **words)
{
  struct start_options options = {.image = "disk1.img", .idle_seconds = 300, .spin_us = 300, .cache_share = 0.01, .way = IO_ANY};
  if (count >= 2 && strcmp(words[1], "start") == 0 && parse_start(count - 1, words + 1, &options)) return (int)service_start(&options);
  if (count == 2 && strcmp(words[1], "stop") == 0) return (int)service_stop();
  return (int)usage();
}
