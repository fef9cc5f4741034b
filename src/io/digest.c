/* digest.c — SHA-256 and MD5. */
#include "digest.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64, LENGTH_AT = 56 };

static uint32_t rotate_left(uint32_t x, unsigned by)
{
    return x << by | x >> (32 - by);
}

static uint32_t rotate_right(uint32_t x, unsigned by)
{
    return x >> by | x << (32 - by);
}

/* ---- SHA-256 ---------------------------------------------------------------------- */

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
static const uint32_t sha_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static void sha_schedule(uint32_t w[64], const uint8_t block[BLOCK])
{
    for (int t = 0; t < 16; t++)
        w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 | (uint32_t)block[4 * t + 2] << 8 |
               block[4 * t + 3];
    for (int t = 16; t < 64; t++) {
        uint32_t s0 = rotate_right(w[t - 15], 7) ^ rotate_right(w[t - 15], 18) ^ w[t - 15] >> 3;
        uint32_t s1 = rotate_right(w[t - 2], 17) ^ rotate_right(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
}

static void sha_block(uint32_t state[8], const uint8_t block[BLOCK])
{
    uint32_t w[64], v[8];
    sha_schedule(w, block);
    memcpy(v, state, sizeof v);
    for (int t = 0; t < 64; t++) {
        uint32_t sum1 = rotate_right(v[4], 6) ^ rotate_right(v[4], 11) ^ rotate_right(v[4], 25);
        uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
        uint32_t first = v[7] + sum1 + choice + sha_constants[t] + w[t];
        uint32_t sum0 = rotate_right(v[0], 2) ^ rotate_right(v[0], 13) ^ rotate_right(v[0], 22);
        uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += first;
        v[0] = first + sum0 + majority;
    }
    for (int i = 0; i < 8; i++)
        state[i] += v[i];
}

/* ---- MD5 ---------------------------------------------------------------------------- */

/* 2³² times the sines of 1 to 64 radians (RFC 1321, 3.4). */
static const uint32_t md5_constants[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static void md5_block(uint32_t state[8], const uint8_t block[BLOCK])
{
    static const unsigned shifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    static const int step[4] = {1, 5, 3, 7}, start[4] = {0, 1, 5, 0};
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    for (int t = 0; t < 64; t++) {
        int round = t / 16;
        const uint8_t *word = block + 4 * ((start[round] + step[round] * t) % 16);
        uint32_t x = word[0] | (uint32_t)word[1] << 8 | (uint32_t)word[2] << 16 | (uint32_t)word[3] << 24;
        uint32_t f = round == 0   ? (b & c) | (~b & d)
                     : round == 1 ? (b & d) | (c & ~d)
                     : round == 2 ? b ^ c ^ d
                                  : c ^ (b | ~d);
        uint32_t next = b + rotate_left(a + f + x + md5_constants[t], shifts[round][t % 4]);
        a = d;
        d = c;
        c = b;
        b = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

/* ---- both ----------------------------------------------------------------------------- */

static void add_block(ursa_digest *digest, const uint8_t block[BLOCK])
{
    if (digest->kind == URSA_SHA256)
        sha_block(digest->state, block);
    else
        md5_block(digest->state, block);
}

void ursa_digest_begin(ursa_digest *digest, ursa_digest_kind kind)
{
    static const uint32_t sha[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    static const uint32_t md5[8] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    *digest = (ursa_digest){.kind = kind};
    memcpy(digest->state, kind == URSA_SHA256 ? sha : md5, sizeof digest->state);
}

void ursa_digest_add(ursa_digest *digest, const void *data, size_t bytes)
{
    const uint8_t *from = data;
    size_t filled = digest->bytes % BLOCK;
    digest->bytes += bytes;
    if (filled + bytes >= BLOCK && filled) {
        memcpy(digest->block + filled, from, BLOCK - filled);
        add_block(digest, digest->block);
        from += BLOCK - filled;
        bytes -= BLOCK - filled;
        filled = 0;
    }
    for (; !filled && bytes >= BLOCK; from += BLOCK, bytes -= BLOCK)
        add_block(digest, from);
    if (bytes)
        memcpy(digest->block + filled, from, bytes);
}

/* A one, zeros, and the length in bits: SHA-256 writes numbers from the high end, MD5 from the low. */
static void pad(ursa_digest *digest)
{
    uint8_t tail[2 * BLOCK] = {0x80};
    uint64_t bits = digest->bytes * 8;
    size_t filled = digest->bytes % BLOCK;
    size_t padding = filled < LENGTH_AT ? LENGTH_AT - filled : BLOCK + LENGTH_AT - filled;
    for (int i = 0; i < 8; i++)
        tail[padding + (size_t)i] = (uint8_t)(bits >> 8 * (digest->kind == URSA_SHA256 ? 7 - i : i));
    ursa_digest_add(digest, tail, padding + 8);
}

void ursa_digest_end(ursa_digest *digest, char text[URSA_DIGEST_TEXT])
{
    bool sha = digest->kind == URSA_SHA256;
    pad(digest);
    for (int i = 0; i < (sha ? 32 : 16); i++) {
        int shift = 8 * (sha ? 3 - i % 4 : i % 4);
        snprintf(text + 2 * i, 3, "%02x", digest->state[i / 4] >> shift & 0xff);
    }
}

bool ursa_digest_file(const char *path, ursa_digest_kind kind, int64_t most, char text[URSA_DIGEST_TEXT])
{
    ursa_digest digest;
    uint8_t buffer[1 << 16];
    FILE *file = fopen(path, "rb");
    if (!file)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be read: %s", path, strerror(errno));
    ursa_digest_begin(&digest, kind);
    uint64_t left = most > 0 ? (uint64_t)most : UINT64_MAX;
    size_t got;
    do {
        got = fread(buffer, 1, left < sizeof buffer ? (size_t)left : sizeof buffer, file);
        ursa_digest_add(&digest, buffer, got);
        left -= got;
    } while (got);
    bool read = !ferror(file);
    fclose(file);
    ursa_digest_end(&digest, text);
    return read || ursa_fail(URSA_ERROR_IO, "%s: cannot be read to its end", path);
}

bool ursa_digest_valid(const char *text, ursa_digest_kind kind)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if (!isxdigit((unsigned char)text[i]))
            return false;
    return kind == URSA_SHA256 ? length >= 8 && length <= 64 : length == 32;
}
