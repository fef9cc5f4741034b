/* zip.h — zip archives whose entries are stored, as PyTorch writes them.
 *
 * A reader of our own, since it is all that is needed: entries lie whole and
 * uncompressed in the mapped file and are handed out where they are, which the
 * common libraries, made for streams, do not do. It is strict where they are
 * lenient: what two readers could understand differently is refused.
 */
#ifndef URSA_IO_ZIP_H
#define URSA_IO_ZIP_H

#include <ursa/base.h>

typedef struct ursa_zip ursa_zip;

/* `data` must outlive it. NULL, with an error, when it is no archive. */
ursa_zip *ursa_zip_open(const uint8_t *data, size_t bytes);
void ursa_zip_close(ursa_zip *zip); /* takes NULL */

int ursa_zip_count(const ursa_zip *zip);
const char *ursa_zip_name(const ursa_zip *zip, int index); /* sorted by name */

/* The number of an entry, or -1. */
int ursa_zip_find(const ursa_zip *zip, const char *name);
/* Its bytes, checked against their sum when first asked for; NULL, with an
 * error, when they are compressed, encrypted or damaged. */
const uint8_t *ursa_zip_read(ursa_zip *zip, int index, size_t *bytes);

#endif
