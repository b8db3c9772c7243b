#include "index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A hash is as good as random: its first bytes are where to begin to look. */
static uint32_t slot_of(const struct store_index *index, const uint8_t *hash)
{
    uint32_t word;
    memcpy(&word, hash, sizeof word);
    return word & index->mask;
}

static void enter(struct store_index *index, uint32_t entry)
{
    uint32_t slot = slot_of(index, index->hash[entry]);
    while (index->table[slot])
        slot = (slot + 1) & index->mask;
    index->table[slot] = entry + 1;
}

static int grow(struct store_index *index, uint32_t capacity)
{
    void *hash = realloc(index->hash, (size_t)capacity * sizeof *index->hash);
    if (!hash)
        return -ENOMEM;
    index->hash = hash;
    void *place = realloc(index->place, (size_t)capacity * sizeof *index->place);
    if (!place)
        return -ENOMEM;
    index->place = place;
    /* Half empty at most full: looking for what is not there ends soon. */
    uint32_t *table = calloc((size_t)capacity * 2, sizeof *table);
    if (!table)
        return -ENOMEM;
    free(index->table);
    index->table = table, index->capacity = capacity, index->mask = capacity * 2 - 1;
    for (uint32_t entry = 0; entry < index->count; entry++)
        enter(index, entry);
    return 0;
}

int store_index_reserve(struct store_index *index, uint32_t more)
{
    uint64_t needed = (uint64_t)index->count + more, capacity = index->capacity ? index->capacity : 1 << 14;
    if (needed >= UINT32_C(1) << 31)
        return -EOVERFLOW;
    if (needed <= index->capacity)
        return 0;
    while (capacity < needed)
        capacity *= 2;
    return capacity > UINT32_C(1) << 30 ? -EOVERFLOW : grow(index, (uint32_t)capacity);
}

struct store_place store_index_put(struct store_index *index, const uint8_t hash[BLAKE3_BYTES], struct store_place place, int *added)
{
    uint32_t slot = slot_of(index, hash);
    *added = 0;
    for (; index->table[slot]; slot = (slot + 1) & index->mask) {
        uint32_t entry = index->table[slot] - 1;
        if (memcmp(index->hash[entry], hash, BLAKE3_BYTES) == 0)
            return index->place[entry];
    }
    *added = 1;
    memcpy(index->hash[index->count], hash, BLAKE3_BYTES);
    index->place[index->count] = place;
    index->table[slot] = ++index->count;
    return place;
}

void store_index_free(struct store_index *index)
{
    free(index->hash);
    free(index->place);
    free(index->table);
    memset(index, 0, sizeof *index);
}
