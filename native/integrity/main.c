/** bin/tool_for_integrity IMAGE SECTORS READS: compares what a client read, sector by sector, with the image itself. */
#include "../ring/outcome.h"
#include "../ring/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define MOST_SAID 10u /* differences that are named one by one */

struct comparison {
  const char *image_name, *sectors_name, *reads_name;
  int image;
  FILE *sectors, *reads;
  uint64_t compared, different;
};

/** The number on the line, which is all that may be on it. */
static bool parse_sector(const char *line, uint64_t *sector)
{
  char *end;
  errno = 0;
  *sector = strtoull(line, &end, 10);
  return errno == 0 && *line >= '0' && *line <= '9' && (*end == '\n' || *end == 0);
}

/** Where two sectors differ first, or RING_SECTOR. */
static unsigned first_difference(const unsigned char *a, const unsigned char *b)
{
  unsigned at = 0;
  while (at < RING_SECTOR && a[at] == b[at]) at++;
  return at;
}

static enum outcome compare_one(struct comparison *comparison, const char *line)
{
  unsigned char there[RING_SECTOR], read[RING_SECTOR];
  uint64_t sector, number = ++comparison->compared;
  if (!parse_sector(line, &sector)) return fail(OUTCOME_MALFORMED, "%s, line %" PRIu64 ": not a sector number.", comparison->sectors_name, number);
  if (fread(read, RING_SECTOR, 1, comparison->reads) != 1)
    return fail(OUTCOME_MALFORMED, "%s ends before sector %" PRIu64 " of line %" PRIu64 ".", comparison->reads_name, sector, number);
  ssize_t got = sector > INT64_MAX / RING_SECTOR ? 0 : pread(comparison->image, there, RING_SECTOR, (off_t)(sector * RING_SECTOR));
  if (got < 0) return fail(OUTCOME_FAILED, "%s cannot be read: %s.", comparison->image_name, strerror(errno));
  if (got != RING_SECTOR)
    return fail(OUTCOME_MALFORMED, "%s, line %" PRIu64 ": %s has no sector %" PRIu64 ".", comparison->sectors_name, number, comparison->image_name, sector);
  unsigned at = first_difference(there, read);
  if (at == RING_SECTOR) return OUTCOME_OK;
  if (++comparison->different <= MOST_SAID)
    fprintf(stderr, "Line %" PRIu64 ", sector %" PRIu64 ": differs from byte %u on (image %02x, read %02x).\n", number, sector, at, there[at], read[at]);
  return OUTCOME_OK;
}

static enum outcome compare_all(struct comparison *comparison)
{
  char *line = NULL;
  size_t room = 0;
  enum outcome outcome = OUTCOME_OK;
  while (outcome == OUTCOME_OK && getline(&line, &room, comparison->sectors) > 0) outcome = compare_one(comparison, line);
  free(line);
  if (outcome != OUTCOME_OK) return outcome;
  if (ferror(comparison->sectors) || ferror(comparison->reads)) return fail(OUTCOME_FAILED, "The files cannot be read.");
  if (fgetc(comparison->reads) != EOF) return fail(OUTCOME_MALFORMED, "%s holds more than the sectors of %s.", comparison->reads_name, comparison->sectors_name);
  if (comparison->different > 0)
    return fail(OUTCOME_DIFFERS, "%" PRIu64 " of %" PRIu64 " sectors differ from %s.", comparison->different, comparison->compared, comparison->image_name);
  printf("All %" PRIu64 " sectors are those of %s.\n", comparison->compared, comparison->image_name);
  return OUTCOME_OK;
}

int main(int count, char **words)
{
  if (count != 4) return fail(OUTCOME_USAGE, "usage: tool_for_integrity IMAGE SECTORS READS");
  struct comparison comparison = {.image_name = words[1], .sectors_name = words[2], .reads_name = words[3]};
  comparison.image = open(words[1], O_RDONLY | O_CLOEXEC);
  if (comparison.image < 0) return fail(OUTCOME_NO_IMAGE, "%s cannot be opened: %s.", words[1], strerror(errno));
  comparison.sectors = fopen(words[2], "re");
  if (!comparison.sectors) return fail(OUTCOME_FAILED, "%s cannot be opened: %s.", words[2], strerror(errno));
  comparison.reads = fopen(words[3], "re");
  if (!comparison.reads) return fail(OUTCOME_FAILED, "%s cannot be opened: %s.", words[3], strerror(errno));
  return (int)compare_all(&comparison);
}
