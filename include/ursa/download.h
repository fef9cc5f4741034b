/* download.h — files and data sets from the network, and archives.
 *
 *     char *path = ursa_untar_data("PETS");          // fastai: untar_data(URLs.PETS)
 *     ...
 *     free(path);
 *
 * Downloads need libcurl and archives libarchive, the options `curl` and `archive`
 * of the build; without them these functions say so.
 */
#ifndef URSA_DOWNLOAD_H
#define URSA_DOWNLOAD_H

#include <ursa/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- one file ---------------------------------------------------------------------- */

typedef struct ursa_download_options {
    const char *sha256; /* what the file must have, in hexadecimal, or 8 digits or more that it begins with;
                           NULL: not checked */
    const char *md5;
    const char *md5_mib; /* MD5 of the first MiB, which is what fastai's own list has */
    int64_t bytes;       /* its size; 0: not checked */
    const char *label;   /* of the progress bar; default: the file's name */
    bool overwrite;      /* fetch it even if it is there */
    int retries;         /* after failures without progress in between; default 5, -1: none */
} ursa_download_options;

/* Brings `url` (http, https) to `path`; folders are made. A file that is already
 * there, with the size and checksums asked for, is left as it is.
 *
 * What has come is kept in "path.part", and a later call goes on from there, when
 * the server still has the same file (If-Range). Connections that are cut and the
 * statuses 408, 429, 500, 502, 503 and 504 are tried again, after the time that
 * Retry-After asks for, two minutes at most. The file appears under its name when
 * it is whole and checked, never before. A progress bar (ursa_set_progress()) shows
 * what is left. */
URSA_API bool ursa_download_opt(const char *url, const char *path, const ursa_download_options *options);
#define ursa_download(url, path, ...) ursa_download_opt(url, path, &(ursa_download_options){__VA_ARGS__})

/* ---- archives ------------------------------------------------------------------------- */

typedef struct ursa_unpack_options {
    int64_t most_bytes;   /* of all files together; default: 200 times the archive's size and 256 MB */
    int64_t most_entries; /* files and folders; default 10 million */
    const char *label;    /* of the progress bar; default: the archive's name */
} ursa_unpack_options;

/* Unpacks `archive` (tar, also compressed by gzip, bzip2, xz or zstd; zip; or one
 * file compressed by gzip) into `folder`, which is made when it is not there. All
 * appears at once, at the end; what is there under the same names is replaced.
 *
 * Refused, before anything appears: names with "..", absolute ones, links that lead
 * out of the archive, devices, and archives that grow beyond the limits. Owners,
 * dates and permissions other than "executable" are not kept. */
URSA_API bool ursa_unpack_opt(const char *archive, const char *folder, const ursa_unpack_options *options);
#define ursa_unpack(archive, folder, ...) ursa_unpack_opt(archive, folder, &(ursa_unpack_options){__VA_ARGS__})

/* ---- data sets ---------------------------------------------------------------------------- *
 *
 * The collection of course.fast.ai/datasets under the names of fastai's URLs class,
 * and MNIST and Fashion-MNIST as IDX files (MNIST_IDX, FASHION_MNIST). */

enum { URSA_DATA_FILES = 4 };

typedef struct ursa_data_source {
    const char *name;  /* "PETS" */
    const char *group; /* "image classification" */
    const char *text;  /* what it is */
    const char *base;  /* address of the files, ends with a slash */
    struct {
        const char *name; /* "oxford-iiit-pet.tgz"; NULL behind the last */
        int64_t bytes;    /* 0: not known */
        const char *md5, *md5_mib;
    } files[URSA_DATA_FILES];
} ursa_data_source;

URSA_API int ursa_data_source_count(void);
URSA_API const ursa_data_source *ursa_data_source_at(int index); /* NULL beyond the last */
/* By its name, in capitals or not; NULL, with an error that suggests near names. */
URSA_API const ursa_data_source *ursa_data_source_find(const char *name);
/* The folder that a data set is in when it is there, in `to` (NULL: where
 * ursa_untar_data() puts it by default); NULL without an error when it is not; to free(). */
URSA_API char *ursa_data_source_folder(const ursa_data_source *source, const char *to);

typedef struct ursa_untar_options {
    const char *to;     /* folder to put it in; default: $URSA_HOME/data, where URSA_HOME is ~/.ursa */
    const char *base;   /* address to get the files from instead of their own; default: URSA_DATA_URL, if set */
    bool force;         /* bring it again even if it is there */
    bool keep_archive;  /* leave the archive beside the folder */
    const char *sha256; /* for an address: as in ursa_download_options */
    int64_t bytes;
} ursa_untar_options;

/* Returns the folder of a data set, to free(), after downloading and unpacking it if
 * it is not there. `name` is one of the names above, an address ("https://…/x.tgz")
 * or an archive on disk. The folder is called after the archive, "oxford-iiit-pet";
 * when the archive holds one folder, it is that one. NULL after an error.
 *
 * Two processes that ask for the same data wait for each other; one that was killed
 * leaves nothing but a partial download, which the next call completes. */
URSA_API char *ursa_untar_data_opt(const char *name, const ursa_untar_options *options);
#define ursa_untar_data(name, ...) ursa_untar_data_opt(name, &(ursa_untar_options){__VA_ARGS__})

#ifdef __cplusplus
}
#endif
#endif
