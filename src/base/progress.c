/* progress.c — when progress is shown: a bar that is redrawn on a terminal, a
 * line now and then elsewhere. Of bars that are open at the same time the one
 * begun last is shown. */
#include "clock.h"
#include "memory.h"
#include "progress.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REDRAW_SECONDS          0.1 /* on a terminal */
#define BAR_AFTER_SECONDS       0.3
#define LINE_SECONDS            10.0 /* elsewhere */
#define LAST_LINE_AFTER_SECONDS 3.0  /* shorter jobs leave no line */
#define RATE_SECONDS            5.0  /* how far back the speed is averaged */

struct ursa_progress {
    char label[64], note[128];
    int64_t done, total;
    double begun, shown;          /* moments; shown: of the last redraw or line */
    double rate_at, item_seconds; /* when the speed was last estimated, and what it is */
    int64_t rate_done;
    bool terminal, drawn;
    ursa_progress *below;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static ursa_progress *top;
static bool hidden;

void ursa_set_progress(bool shown)
{
    pthread_mutex_lock(&lock);
    hidden = !shown;
    pthread_mutex_unlock(&lock);
}

static void copy_text(char *to, size_t bytes, const char *text)
{
    snprintf(to, bytes, "%s", text ? text : "");
    to[strcspn(to, "\r\n")] = 0;
}

static int terminal_columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col - 1; /* writing the last column would wrap */
    return 79;
}

/* Seconds per item, smoothed over the last seconds so that the time left
 * follows a change of speed without jumping. */
static void estimate_rate(ursa_progress *progress, double now)
{
    double passed = now - progress->rate_at;
    int64_t items = progress->done - progress->rate_done;
    if (passed < REDRAW_SECONDS || items <= 0)
        return;
    double seconds = passed / (double)items;
    double weight = progress->item_seconds > 0 ? 1 - exp(-passed / RATE_SECONDS) : 1;
    progress->item_seconds += weight * (seconds - progress->item_seconds);
    progress->rate_at = now;
    progress->rate_done = progress->done;
}

static ursa_progress_view view_of(const ursa_progress *progress, double now)
{
    bool known = progress->total > 0 && progress->item_seconds > 0;
    int64_t left = progress->total > progress->done ? progress->total - progress->done : 0;
    return (ursa_progress_view){
        .label = progress->label,
        .note = progress->note,
        .done = progress->done,
        .total = progress->total,
        .elapsed = now - progress->begun,
        .left = known ? (double)left * progress->item_seconds : -1,
    };
}

static void draw_bar(ursa_progress *progress, double now)
{
    char line[512];
    ursa_progress_view view = view_of(progress, now);
    ursa_progress_bar(line, sizeof line, &view, terminal_columns());
    fprintf(stderr, "\r%s\033[K", line);
    progress->drawn = true;
    progress->shown = now;
}

static void print_line(ursa_progress *progress, double now, bool last)
{
    char line[512];
    ursa_progress_view view = view_of(progress, now);
    if (last)
        view.left = -1;
    ursa_progress_line(line, sizeof line, &view);
    fprintf(stderr, "%s\n", line);
    progress->drawn = true;
    progress->shown = now;
}

static void show_if_due(ursa_progress *progress, double now)
{
    if (hidden || progress != top)
        return;
    if (!progress->terminal && now - progress->shown >= LINE_SECONDS)
        print_line(progress, now, false);
    else if (progress->terminal && now - progress->begun >= BAR_AFTER_SECONDS &&
             now - progress->shown >= REDRAW_SECONDS)
        draw_bar(progress, now);
}

/* A bar makes room for the line that follows; plain lines end with a last one. */
static void show_end(ursa_progress *progress, double now)
{
    if (progress->terminal) {
        if (progress->drawn)
            fputs("\r\033[K", stderr);
    } else if (!hidden && (progress->drawn || now - progress->begun >= LAST_LINE_AFTER_SECONDS)) {
        print_line(progress, now, true);
    }
}

ursa_progress *ursa_progress_begin(const char *label, int64_t total)
{
    ursa_progress *progress = ursa_alloc(sizeof *progress);
    if (!progress)
        return NULL;
    copy_text(progress->label, sizeof progress->label, label);
    progress->total = total;
    progress->terminal = isatty(STDERR_FILENO);
    progress->begun = progress->shown = progress->rate_at = ursa_seconds();
    pthread_mutex_lock(&lock);
    progress->below = top;
    top = progress;
    pthread_mutex_unlock(&lock);
    return progress;
}

void ursa_progress_step(ursa_progress *progress, int64_t done, const char *note)
{
    if (!progress)
        return;
    pthread_mutex_lock(&lock);
    double now = ursa_seconds();
    progress->done = done;
    if (note)
        copy_text(progress->note, sizeof progress->note, note);
    estimate_rate(progress, now);
    show_if_due(progress, now);
    pthread_mutex_unlock(&lock);
}

void ursa_progress_end(ursa_progress *progress)
{
    if (!progress)
        return;
    pthread_mutex_lock(&lock);
    ursa_progress **link = &top;
    while (*link && *link != progress)
        link = &(*link)->below;
    if (*link)
        *link = progress->below;
    show_end(progress, ursa_seconds());
    pthread_mutex_unlock(&lock);
    free(progress);
}
