/* log.c — log lines to standard error or to the program's own sink. */
#include "log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static const char *const level_names[] = {"silent", "warn", "info", "debug"};

static atomic_int current_level = URSA_LOG_SILENT;
static ursa_log_sink *current_sink;
static void *current_context;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the sink, and keeps lines whole */
static pthread_once_t environment_once = PTHREAD_ONCE_INIT;

static void read_environment(void)
{
    const char *wanted = getenv("URSA_LOG");
    for (int level = URSA_LOG_SILENT; wanted && level <= URSA_LOG_DEBUG; level++) {
        if (strcasecmp(wanted, level_names[level]) == 0)
            atomic_store(&current_level, level);
    }
}

void ursa_set_log(ursa_log_level level, ursa_log_sink *sink, void *context)
{
    pthread_once(&environment_once, read_environment);
    pthread_mutex_lock(&lock);
    atomic_store(&current_level, (int)level);
    current_sink = sink;
    current_context = context;
    pthread_mutex_unlock(&lock);
}

static void write_line(ursa_log_level level, const char *line)
{
    pthread_mutex_lock(&lock);
    if (current_sink)
        current_sink(current_context, level, line);
    else
        fprintf(stderr, "ursa [%s] %s\n", level_names[level], line);
    pthread_mutex_unlock(&lock);
}

void ursa_log_line(ursa_log_level level, const char *format, ...)
{
    pthread_once(&environment_once, read_environment);
    if (level == URSA_LOG_SILENT || (int)level > atomic_load_explicit(&current_level, memory_order_relaxed))
        return;
    char *line = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&line, format, arguments);
    va_end(arguments);
    if (length < 0)
        return; /* a log line is not worth an error */
    write_line(level, line);
    free(line);
}
