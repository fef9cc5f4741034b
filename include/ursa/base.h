/* base.h — what every other part of ursa stands on: errors, logging, threads,
 * random streams and progress.
 *
 * Errors latch. A function that fails returns NULL, false or a negative
 * number, and the first failure on the calling thread is kept with its whole
 * story: which file, row or argument, what was expected, what was found.
 * Functions given a NULL that stems from an earlier failure pass it on without
 * adding an error of their own, so a script may check once, at its end. The
 * library never exits, aborts or prints an error on its own.
 */
#ifndef URSA_BASE_H
#define URSA_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define URSA_API               __attribute__((visibility("default")))
#define URSA_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define URSA_API
#define URSA_PRINTF(fmt, args)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- version ------------------------------------------------------------ */

/* The version of the library that is running, "1.2.3". */
URSA_API const char *ursa_version(void);

/* ---- errors ------------------------------------------------------------- */

typedef enum ursa_error_kind {
    URSA_ERROR_NONE = 0,
    URSA_ERROR_ARGUMENT,    /* an argument outside what the function takes */
    URSA_ERROR_SHAPE,       /* shapes that do not go together */
    URSA_ERROR_TYPE,        /* an element type the operation does not take */
    URSA_ERROR_MEMORY,      /* host or device memory ran out */
    URSA_ERROR_IO,          /* a file or stream could not be read or written */
    URSA_ERROR_FORMAT,      /* a file was read, and is not what it should be */
    URSA_ERROR_DEVICE,      /* a device is missing, or its driver failed */
    URSA_ERROR_UNSUPPORTED, /* known, but not built in or not on this device */
    URSA_ERROR_STATE,       /* the call does not fit what happened before */
} ursa_error_kind;

/* The first error on this thread since the last ursa_clear_error(), as one
 * line without a newline; NULL when there was none. Valid until the error is
 * cleared. */
URSA_API const char *ursa_error(void);
URSA_API ursa_error_kind ursa_error_kind_of(void);
URSA_API void ursa_clear_error(void);

/* Latches an error, unless one is latched already, and returns false. For the
 * callbacks and data types that a user adds. */
URSA_API bool ursa_fail(ursa_error_kind kind, const char *format, ...) URSA_PRINTF(2, 3);

/* Ends a program that uses ursa: prints the first error of this thread, if
 * any, to standard error as "ursa: …", frees every tensor, learner, data block
 * and so on that is left, newest first, and every device
 * still alive, and returns the exit status: 0, or 1 after an error. */
URSA_API int ursa_finish(void);

/* ---- logging ------------------------------------------------------------ */

typedef enum ursa_log_level {
    URSA_LOG_SILENT = 0, /* the default */
    URSA_LOG_WARN,
    URSA_LOG_INFO,
    URSA_LOG_DEBUG,
} ursa_log_level;

/* Lines go to standard error, or to `sink` when it is not NULL. The variable
 * URSA_LOG (silent, warn, info, debug) sets the level at start. */
typedef void ursa_log_sink(void *context, ursa_log_level level, const char *line);
URSA_API void ursa_set_log(ursa_log_level level, ursa_log_sink *sink, void *context);

/* ---- threads ------------------------------------------------------------ */

/* How many threads kernels and data loading share. Default: the processors
 * this process may run on, or URSA_THREADS. No result depends on it: work is
 * split by the shape of the problem. `count` 0 restores the default. */
URSA_API int ursa_threads(void);
URSA_API bool ursa_set_threads(int count);

/* ---- random streams ------------------------------------------------------
 *
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011): a counter-based generator, so any element of any stream can be
 * computed by anybody, in any order, on any device. A stream is named by a
 * seed and a purpose; element i of a stream is the same everywhere. */

/* What a stream is for. Two purposes never share numbers. */
typedef enum ursa_purpose {
    URSA_PURPOSE_USER = 0,
    URSA_PURPOSE_INIT,          /* parameters of modules */
    URSA_PURPOSE_DROPOUT,       /* masks of dropout */
    URSA_PURPOSE_SHUFFLE,       /* the order of training items */
    URSA_PURPOSE_SPLIT,         /* training and validation sets */
    URSA_PURPOSE_AUGMENT,       /* random transforms */
    URSA_PURPOSE_SAMPLE,        /* weighted sampling, mixup, and the like */
    URSA_PURPOSE_AUGMENT_BATCH, /* random transforms of whole batches */
    URSA_PURPOSES,
} ursa_purpose;

typedef struct ursa_rng {
    uint64_t key;     /* from seed and purpose */
    uint64_t counter; /* the next block of four 32-bit numbers */
    uint32_t block[4];
    int left; /* numbers of `block` not handed out yet */
} ursa_rng;

URSA_API ursa_rng ursa_rng_new(uint64_t seed, ursa_purpose purpose, uint64_t index);
URSA_API uint32_t ursa_rng_u32(ursa_rng *rng);
URSA_API uint64_t ursa_rng_below(ursa_rng *rng, uint64_t bound); /* unbiased, 0 … bound-1 */
URSA_API double ursa_rng_uniform(ursa_rng *rng);                 /* [0, 1) */
URSA_API double ursa_rng_normal(ursa_rng *rng);                  /* mean 0, deviation 1 */
URSA_API void ursa_rng_shuffle(ursa_rng *rng, int64_t *items, int64_t count);

/* The seed that everything starts from which is not given one. Default 42. */
URSA_API void ursa_set_seed(uint64_t seed);
URSA_API uint64_t ursa_seed(void);

/* This thread's own stream of a purpose, from which everything draws that is
 * given none; ursa_set_seed() starts all of them anew. */
URSA_API ursa_rng *ursa_stream(ursa_purpose purpose);

/* ---- progress ------------------------------------------------------------
 *
 * A bar with time elapsed and left on a terminal; elsewhere a plain line now
 * and then. Goes to standard error. */
typedef struct ursa_progress ursa_progress;

URSA_API ursa_progress *ursa_progress_begin(const char *label, int64_t total);
/* `note` is shown behind the bar ("loss 0.412"); NULL keeps the last one. */
URSA_API void ursa_progress_step(ursa_progress *progress, int64_t done, const char *note);
URSA_API void ursa_progress_end(ursa_progress *progress);

/* Switches all bars and lines off or on (default on). */
URSA_API void ursa_set_progress(bool shown);

#ifdef __cplusplus
}
#endif
#endif
