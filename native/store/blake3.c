#include "blake3.h"

#include <string.h>

/* Eight nodes of the tree are computed at once, one in each lane: 4 KiB blocks fill the lanes two at a time. */
enum { LANES = 8, WORDS = 8, BLOCK_BYTES = 64 };
typedef uint32_t lanes __attribute__((vector_size(4 * LANES)));

enum { CHUNK_START = 1, CHUNK_END = 2, PARENT = 4, ROOT = 8 };
static const uint32_t IV[WORDS] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

#define INLINE static inline __attribute__((always_inline))
/* The compiler makes one version for each of these, and the loader picks the best that the processor has. */
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define VERSIONS __attribute__((target_clones("arch=skylake-avx512", "avx2", "default")))
#else
#define VERSIONS
#endif

#define ROTATE(x, n) (((x) >> (n)) | ((x) << (32 - (n))))
#define G(a, b, c, d, x, y)                                                                                                                \
    do {                                                                                                                                   \
        a += b + (x), d = ROTATE(d ^ a, 16), c += d, b = ROTATE(b ^ c, 12);                                                                \
        a += b + (y), d = ROTATE(d ^ a, 8), c += d, b = ROTATE(b ^ c, 7);                                                                  \
    } while (0)
#define ROUND(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, ma, mb, mc, md, me, mf)                                                              \
    do {                                                                                                                                   \
        G(v[0], v[4], v[8], v[12], m[m0], m[m1]);                                                                                          \
        G(v[1], v[5], v[9], v[13], m[m2], m[m3]);                                                                                          \
        G(v[2], v[6], v[10], v[14], m[m4], m[m5]);                                                                                         \
        G(v[3], v[7], v[11], v[15], m[m6], m[m7]);                                                                                         \
        G(v[0], v[5], v[10], v[15], m[m8], m[m9]);                                                                                         \
        G(v[1], v[6], v[11], v[12], m[ma], m[mb]);                                                                                         \
        G(v[2], v[7], v[8], v[13], m[mc], m[md]);                                                                                          \
        G(v[3], v[4], v[9], v[14], m[me], m[mf]);                                                                                          \
    } while (0)

INLINE lanes all(uint32_t word)
{
    return (lanes){word, word, word, word, word, word, word, word};
}

/* The compression function, its message schedule written out: specification, sections 2.2 and 2.3. */
INLINE void compress(lanes cv[WORDS], const lanes m[16], lanes counter, uint32_t flags)
{
    lanes v[16];
    for (int i = 0; i < WORDS; i++)
        v[i] = cv[i];
    for (int i = 0; i < 4; i++)
        v[8 + i] = all(IV[i]);
    v[12] = counter, v[13] = all(0), v[14] = all(BLOCK_BYTES), v[15] = all(flags);
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    ROUND(2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8);
    ROUND(3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1);
    ROUND(10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6);
    ROUND(12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4);
    ROUND(9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7);
    ROUND(11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13);
    for (int i = 0; i < WORDS; i++)
        cv[i] = v[i] ^ v[i + 8];
}

#define LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define HIGH(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define LOW2(a, b) __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define HIGH2(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define LOW4(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define HIGH4(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)

/* Eight words of eight nodes become eight nodes of eight words, and back. */
INLINE void transpose(lanes r[WORDS])
{
    lanes a[8], b[8];
    for (int i = 0; i < 4; i++)
        a[2 * i] = LOW(r[2 * i], r[2 * i + 1]), a[2 * i + 1] = HIGH(r[2 * i], r[2 * i + 1]);
    for (int i = 0; i < 8; i += 4) {
        b[i] = LOW2(a[i], a[i + 2]), b[i + 1] = HIGH2(a[i], a[i + 2]);
        b[i + 2] = LOW2(a[i + 1], a[i + 3]), b[i + 3] = HIGH2(a[i + 1], a[i + 3]);
    }
    for (int i = 0; i < 4; i++)
        r[i] = LOW4(b[i], b[i + 4]), r[i + 4] = HIGH4(b[i], b[i + 4]);
}

/* One 64-byte block of each lane's node. */
INLINE void load(lanes m[16], const uint8_t *const from[LANES], size_t offset)
{
    for (int half = 0; half < 2; half++) {
        for (int lane = 0; lane < LANES; lane++)
            memcpy(&m[8 * half + lane], from[lane] + offset + 32 * half, 32);
        transpose(m + 8 * half);
    }
}

INLINE void begin(lanes cv[WORDS])
{
    for (int i = 0; i < WORDS; i++)
        cv[i] = all(IV[i]);
}

/* The chaining values of eight leaves of 1 KiB. */
VERSIONS static void hash_leaves(const uint8_t *const from[LANES], const uint32_t number[LANES], uint32_t out[LANES][WORDS])
{
    lanes cv[WORDS], m[16], counter;
    memcpy(&counter, number, sizeof counter);
    begin(cv);
    for (int block = 0; block < BLAKE3_LEAF_BYTES / BLOCK_BYTES; block++) {
        load(m, from, (size_t)block * BLOCK_BYTES);
        compress(cv, m, counter, (block == 0 ? CHUNK_START : 0) | (block == 15 ? CHUNK_END : 0));
    }
    transpose(cv);
    memcpy(out, cv, sizeof cv);
}

/* The chaining values of eight parents: of sixteen that lie one after the other. */
VERSIONS static void hash_parents(const uint8_t *const from[LANES], uint32_t flags, uint32_t out[LANES][WORDS])
{
    lanes cv[WORDS], m[16];
    begin(cv);
    load(m, from, 0);
    compress(cv, m, all(0), flags);
    transpose(cv);
    memcpy(out, cv, sizeof cv);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

void blake3_many(const uint8_t *const *block, size_t blocks, size_t block_bytes, uint8_t *out, uint32_t *scratch)
{
    size_t leaves = block_bytes / BLAKE3_LEAF_BYTES;
    uint32_t(*cv)[WORDS] = (uint32_t(*)[WORDS])scratch, group[LANES][WORDS];
    const uint8_t *from[LANES];
    uint32_t number[LANES];
    /* Lanes that are left over at the end compute the last node again. */
    for (size_t at = 0, all_leaves = blocks * leaves; at < all_leaves; at += LANES) {
        for (size_t lane = 0; lane < LANES; lane++) {
            size_t node = least(at + lane, all_leaves - 1);
            number[lane] = (uint32_t)(node % leaves);
            from[lane] = block[node / leaves] + (size_t)number[lane] * BLAKE3_LEAF_BYTES;
        }
        hash_leaves(from, number, group);
        memcpy(cv[at], group, least(LANES, all_leaves - at) * sizeof *cv);
    }
    for (size_t level = leaves / 2; level >= 1; level /= 2) {
        uint32_t flags = PARENT | (level == 1 ? ROOT : 0);
        for (size_t at = 0, nodes = blocks * level; at < nodes; at += LANES) {
            for (size_t lane = 0; lane < LANES; lane++)
                from[lane] = (const uint8_t *)cv[2 * least(at + lane, nodes - 1)];
            hash_parents(from, flags, group);
            memcpy(cv[at], group, least(LANES, nodes - at) * sizeof *cv);
        }
    }
    memcpy(out, cv, blocks * BLAKE3_BYTES);
}
