/* kaggle.h — competitions and data sets of kaggle.com, through its public API.
 *
 *     free(ursa_kaggle_download_dataset("zynicide/wine-reviews", .path = "wine", .unzip = true));
 *     ursa_frame *reviews = ursa_read_csv("wine/winemag-data-130k-v2.csv");
 *
 * Credentials are those of Kaggle's own tool: the variables KAGGLE_USERNAME and
 * KAGGLE_KEY, or else the file kaggle.json in KAGGLE_CONFIG_DIR (default ~/.kaggle),
 * which https://www.kaggle.com/settings hands out ("Create New Token"). A file that
 * others may read is warned of, once.
 *
 * Requests that the server refuses for now (429, 503, …) are repeated after the time
 * it asks for, two minutes at most. Needs libcurl, and libarchive to unzip.
 */
#ifndef URSA_KAGGLE_H
#define URSA_KAGGLE_H

#include <ursa/frame.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- downloads ------------------------------------------------------------------------- */

typedef struct ursa_kaggle_download_options {
    const char *file; /* one file of the competition or data set; default: all, as one ZIP archive */
    const char *path; /* folder to put it in; default: the current one */
    bool force;       /* bring it again even if it is there */
    bool unzip;       /* unpack the archive into the folder, and remove it */
    const char *url;  /* of the server; default: URSA_KAGGLE_URL, or https://www.kaggle.com */
} ursa_kaggle_download_options;

/* Downloads a competition's files. `name` is the last part of its address, "titanic",
 * or all of it. Where its rules have not been accepted, the error says where to do so.
 * Returns where the files are: the file, or the folder after `unzip`; to free(). */
URSA_API char *ursa_kaggle_download_competition_opt(const char *name, const ursa_kaggle_download_options *options);
#define ursa_kaggle_download_competition(name, ...)                                                                    \
    ursa_kaggle_download_competition_opt(name, &(ursa_kaggle_download_options){__VA_ARGS__})

/* The same for a data set: "owner/name", "owner/name/versions/3", or its address. */
URSA_API char *ursa_kaggle_download_dataset_opt(const char *name, const ursa_kaggle_download_options *options);
#define ursa_kaggle_download_dataset(name, ...)                                                                        \
    ursa_kaggle_download_dataset_opt(name, &(ursa_kaggle_download_options){__VA_ARGS__})

/* ---- lists ------------------------------------------------------------------------------- */

typedef struct ursa_kaggle_list_options {
    const char *search;   /* words to look for */
    int page;             /* from 1, the default */
    const char *sort_by;  /* competitions: grouped, prize, earliestDeadline, latestDeadline, numberOfTeams,
                             recentlyCreated; data sets: hottest, votes, updated, active, published */
    const char *category; /* competitions: all, featured, research, recruitment, gettingStarted, masters, playground */
    const char *group;    /* competitions: general, entered, inClass; data sets: public, my, user */
    const char *user;     /* data sets of one owner */
    const char *url;      /* as above */
} ursa_kaggle_list_options;

/* Columns ref, deadline, category, reward, teamCount, userHasEntered. */
URSA_API ursa_frame *ursa_kaggle_competitions_opt(const ursa_kaggle_list_options *options);
#define ursa_kaggle_competitions(...) ursa_kaggle_competitions_opt(&(ursa_kaggle_list_options){__VA_ARGS__})

/* Columns ref, title, size, lastUpdated, downloadCount, voteCount, usabilityRating. */
URSA_API ursa_frame *ursa_kaggle_datasets_opt(const ursa_kaggle_list_options *options);
#define ursa_kaggle_datasets(...) ursa_kaggle_datasets_opt(&(ursa_kaggle_list_options){__VA_ARGS__})

/* The files of one: columns name, size, creationDate. All pages of the server's answer. */
URSA_API ursa_frame *ursa_kaggle_competition_files_opt(const char *name, const ursa_kaggle_list_options *options);
#define ursa_kaggle_competition_files(name, ...)                                                                       \
    ursa_kaggle_competition_files_opt(name, &(ursa_kaggle_list_options){__VA_ARGS__})
URSA_API ursa_frame *ursa_kaggle_dataset_files_opt(const char *name, const ursa_kaggle_list_options *options);
#define ursa_kaggle_dataset_files(name, ...)                                                                           \
    ursa_kaggle_dataset_files_opt(name, &(ursa_kaggle_list_options){__VA_ARGS__})

/* What one has submitted: columns fileName, date, description, status, publicScore, privateScore. */
URSA_API ursa_frame *ursa_kaggle_submissions_opt(const char *name, const ursa_kaggle_list_options *options);
#define ursa_kaggle_submissions(name, ...) ursa_kaggle_submissions_opt(name, &(ursa_kaggle_list_options){__VA_ARGS__})

/* ---- submitting ----------------------------------------------------------------------------- */

typedef struct ursa_kaggle_submit_options {
    const char *message; /* what it is; required by Kaggle */
    const char *url;     /* as above */
} ursa_kaggle_submit_options;

/* Sends a file of predictions. An upload that is cut goes on where it stopped; the
 * submission itself is sent once. Returns the server's answer, to free(). */
URSA_API char *ursa_kaggle_submit_opt(const char *name, const char *path, const ursa_kaggle_submit_options *options);
#define ursa_kaggle_submit(name, path, ...)                                                                            \
    ursa_kaggle_submit_opt(name, path, &(ursa_kaggle_submit_options){__VA_ARGS__})

#ifdef __cplusplus
}
#endif
#endif
