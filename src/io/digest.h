/* digest.h — checksums of files: SHA-256 (FIPS 180-4) and MD5 (RFC 1321).
 *
 * They tell a damaged download from a whole one, and SHA-256 a forged one. */
#ifndef URSA_IO_DIGEST_H
#define URSA_IO_DIGEST_H

#include <ursa/base.h>

typedef enum ursa_digest_kind { URSA_MD5, URSA_SHA256 } ursa_digest_kind;

typedef struct ursa_digest {
    ursa_digest_kind kind;
    uint32_t state[8];
    uint64_t bytes; /* seen so far */
    uint8_t block[64];
} ursa_digest;

enum { URSA_DIGEST_TEXT = 65 }; /* hexadecimal, with its zero */

void ursa_digest_begin(ursa_digest *digest, ursa_digest_kind kind);
void ursa_digest_add(ursa_digest *digest, const void *data, size_t bytes);
/* Ends it, and writes it in lower-case hexadecimal. */
void ursa_digest_end(ursa_digest *digest, char text[URSA_DIGEST_TEXT]);

/* Of a whole file, or of its first `most` bytes (0: all). */
bool ursa_digest_file(const char *path, ursa_digest_kind kind, int64_t most, char text[URSA_DIGEST_TEXT]);

/* Whether a text is as many hexadecimal digits as the digest has; of SHA-256 the
 * first 8 or more will do. */
bool ursa_digest_valid(const char *text, ursa_digest_kind kind);

#endif
