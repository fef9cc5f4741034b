/* zip.c — reading zip archives of stored entries (PKWARE's APPNOTE.TXT 6.3.9; the
 * numbers of its sections are below). */
#include "zip.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct entry {
    char *name;
    size_t bytes, packed, header; /* header: where its local header is */
    uint32_t sum;
    uint16_t flags, method;
    bool checked;
};

struct ursa_zip {
    const uint8_t *data;
    size_t bytes;
    struct entry *entries;
    int count;
};

enum {
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR_BYTES = 20,
    CENTRAL_BYTES = 46,
    LOCAL_BYTES = 30,
    LONGEST_COMMENT = 65535,
    ENCRYPTED = 1,
};
static const uint32_t end_mark = 0x06054b50, end64_mark = 0x06064b50, locator_mark = 0x07064b50,
                      central_mark = 0x02014b50, local_mark = 0x04034b50;

static uint16_t u16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t u32(const uint8_t *at)
{
    return u16(at) | (uint32_t)u16(at + 2) << 16;
}

static uint64_t u64(const uint8_t *at)
{
    return u32(at) | (uint64_t)u32(at + 4) << 32;
}

static bool bad(const char *problem)
{
    return ursa_fail(URSA_ERROR_FORMAT, "not a sound zip archive: %s", problem);
}

/* Where the central directory is. */
struct directory {
    uint64_t count, bytes, offset;
    size_t end; /* where it must have ended */
};

/* 4.3.16, searched from the back for one whose comment ends with the file. */
static bool find_end(const ursa_zip *zip, size_t *at)
{
    if (zip->bytes < END_BYTES)
        return bad("too short");
    size_t last = zip->bytes - END_BYTES, first = last > LONGEST_COMMENT ? last - LONGEST_COMMENT : 0;
    for (*at = last;; --*at) {
        const uint8_t *end = zip->data + *at;
        if (u32(end) == end_mark && *at + END_BYTES + u16(end + 20) == zip->bytes)
            return true;
        if (*at == first)
            return bad("its end is missing: cut off?");
    }
}

/* 4.3.14 and 4.3.15: the numbers in 64 bits, where they are there. */
static bool read_end64(const ursa_zip *zip, size_t end, struct directory *directory)
{
    const uint8_t *locator = end >= LOCATOR_BYTES ? zip->data + end - LOCATOR_BYTES : NULL;
    if (!locator || u32(locator) != locator_mark)
        return true;
    uint64_t at = u64(locator + 8);
    if (end < LOCATOR_BYTES + END64_BYTES || at > end - LOCATOR_BYTES - END64_BYTES ||
        u32(zip->data + at) != end64_mark)
        return bad("its 64-bit end is missing");
    const uint8_t *end64 = zip->data + at;
    *directory = (struct directory){u64(end64 + 32), u64(end64 + 40), u64(end64 + 48), (size_t)at};
    return true;
}

static bool find_directory(const ursa_zip *zip, struct directory *directory)
{
    size_t at = 0;
    if (!find_end(zip, &at))
        return false;
    const uint8_t *end = zip->data + at;
    if (u16(end + 4) || u16(end + 6))
        return bad("it is one of several parts");
    *directory = (struct directory){u16(end + 10), u32(end + 12), u32(end + 16), at};
    if (!read_end64(zip, at, directory))
        return false;
    if (directory->offset > directory->end || directory->bytes > directory->end - directory->offset)
        return bad("its directory lies outside the file");
    if (directory->count > directory->bytes / CENTRAL_BYTES)
        return bad("its directory is shorter than its entries");
    return true;
}

/* 4.5.3: numbers that did not fit in 32 bits, in the order of the header. */
static bool read_extra64(const uint8_t *extra, size_t length, uint64_t *numbers[3])
{
    for (size_t at = 0; at + 4 <= length;) {
        size_t size = u16(extra + at + 2);
        if (size > length - at - 4)
            return bad("an extra field is cut off");
        if (u16(extra + at) != 1) {
            at += 4 + size;
            continue;
        }
        const uint8_t *field = extra + at + 4;
        for (int i = 0; i < 3; i++) {
            if (*numbers[i] != UINT32_MAX)
                continue;
            if (size < 8)
                return bad("a 64-bit size is missing");
            *numbers[i] = u64(field);
            field += 8;
            size -= 8;
        }
        return true;
    }
    return true;
}

/* 4.3.12. Returns the length of the record, or 0. */
static size_t read_entry(const ursa_zip *zip, const uint8_t *at, size_t left, struct entry *entry)
{
    if (left < CENTRAL_BYTES || u32(at) != central_mark) {
        bad("its directory is damaged");
        return 0;
    }
    size_t name = u16(at + 28), extra = u16(at + 30), length = CENTRAL_BYTES + name + extra + u16(at + 32);
    if (length > left || memchr(at + CENTRAL_BYTES, 0, name)) {
        bad("its directory is damaged");
        return 0;
    }
    uint64_t packed = u32(at + 20), bytes = u32(at + 24), header = u32(at + 42);
    if (!read_extra64(at + CENTRAL_BYTES + name, extra, (uint64_t *[]){&bytes, &packed, &header}))
        return 0;
    *entry = (struct entry){.bytes = bytes,
                            .packed = packed,
                            .header = header,
                            .sum = u32(at + 16),
                            .flags = u16(at + 8),
                            .method = u16(at + 10)};
    if (header > zip->bytes || packed > zip->bytes - header) {
        bad("an entry lies outside the file");
        return 0;
    }
    entry->name = ursa_format("%.*s", (int)name, (const char *)at + CENTRAL_BYTES);
    return entry->name ? length : 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static bool read_directory(ursa_zip *zip, const struct directory *directory)
{
    const uint8_t *at = zip->data + directory->offset;
    size_t left = directory->bytes, total = 0;
    zip->entries = ursa_alloc_array((size_t)directory->count + 1, sizeof *zip->entries);
    if (!zip->entries)
        return false;
    for (uint64_t i = 0; i < directory->count; i++) {
        struct entry *entry = &zip->entries[zip->count];
        size_t length = read_entry(zip, at, left, entry);
        if (!length)
            return false;
        zip->count++;
        at += length;
        left -= length;
        if (entry->packed > zip->bytes - total)
            return bad("its entries overlap");
        total += entry->packed;
    }
    qsort(zip->entries, (size_t)zip->count, sizeof *zip->entries, compare);
    for (int i = 1; i < zip->count; i++)
        if (strcmp(zip->entries[i - 1].name, zip->entries[i].name) == 0)
            return bad("it has two entries of one name");
    return true;
}

ursa_zip *ursa_zip_open(const uint8_t *data, size_t bytes)
{
    ursa_zip *zip = ursa_alloc(sizeof *zip);
    if (!zip)
        return NULL;
    *zip = (ursa_zip){.data = data, .bytes = bytes};
    struct directory directory = {0};
    if (find_directory(zip, &directory) && read_directory(zip, &directory))
        return zip;
    ursa_zip_close(zip);
    return NULL;
}

void ursa_zip_close(ursa_zip *zip)
{
    if (!zip)
        return;
    for (int i = 0; i < zip->count; i++)
        free(zip->entries[i].name);
    free(zip->entries);
    free(zip);
}

int ursa_zip_count(const ursa_zip *zip)
{
    return zip->count;
}

const char *ursa_zip_name(const ursa_zip *zip, int index)
{
    return zip->entries[index].name;
}

int ursa_zip_find(const ursa_zip *zip, const char *name)
{
    struct entry key = {.name = (char *)name};
    const struct entry *found = bsearch(&key, zip->entries, (size_t)zip->count, sizeof key, compare);
    return found ? (int)(found - zip->entries) : -1;
}

/* 4.3.7: the bytes begin behind the local header. */
static const uint8_t *content(const ursa_zip *zip, const struct entry *entry)
{
    const uint8_t *local = zip->data + entry->header;
    size_t left = zip->bytes - entry->header;
    if (left < LOCAL_BYTES || u32(local) != local_mark)
        return NULL;
    size_t name = u16(local + 26), skipped = LOCAL_BYTES + name + u16(local + 28);
    if (skipped > left || entry->bytes > left - skipped)
        return NULL;
    if (name != strlen(entry->name) || memcmp(local + LOCAL_BYTES, entry->name, name) != 0)
        return NULL;
    return local + skipped;
}

const uint8_t *ursa_zip_read(ursa_zip *zip, int index, size_t *bytes)
{
    struct entry *entry = &zip->entries[index];
    if (entry->method != 0 || (entry->flags & ENCRYPTED) || entry->packed != entry->bytes) {
        ursa_fail(URSA_ERROR_FORMAT, "the entry \"%.100s\" is compressed or encrypted; PyTorch stores them plainly",
                  entry->name);
        return NULL;
    }
    const uint8_t *data = content(zip, entry);
    if (!data) {
        ursa_fail(URSA_ERROR_FORMAT, "the entry \"%.100s\" lies outside the file, or has no header", entry->name);
        return NULL;
    }
    if (!entry->checked && crc32_z(0, data, entry->bytes) != entry->sum) {
        ursa_fail(URSA_ERROR_FORMAT, "the entry \"%.100s\" is damaged: its checksum is another", entry->name);
        return NULL;
    }
    entry->checked = true;
    *bytes = entry->bytes;
    return data;
}
