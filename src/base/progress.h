/* progress.h — what a progress bar looks like, apart from when it is drawn. */
#ifndef URSA_BASE_PROGRESS_H
#define URSA_BASE_PROGRESS_H

#include <ursa/base.h>

typedef struct ursa_progress_view {
    const char *label, *note; /* note may be "" */
    int64_t done, total;      /* total 0: not known */
    double elapsed, left;     /* seconds; left below 0: not known */
} ursa_progress_view;

/* The bar in at most `columns` characters; without the bar itself where there
 * is no room for one. Both fill `line`, of `bytes` bytes, without a newline. */
void ursa_progress_bar(char *line, size_t bytes, const ursa_progress_view *view, int columns);

/* The plain line for logs and pipes. */
void ursa_progress_line(char *line, size_t bytes, const ursa_progress_view *view);

#endif
