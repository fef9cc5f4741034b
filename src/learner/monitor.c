/* monitor.c — callbacks that watch a number from epoch to epoch: stopping, saving the
 * best model, and lowering the learning rate. */
#include "base/log.h"
#include "base/memory.h"
#include "learner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct monitor {
    ursa_callback callback;
    ursa_monitor_options options;
    char *name;
    char *path; /* save best */
    bool less;
    struct {
        double best;
        int64_t wait;  /* epochs without a better value */
        int64_t saved; /* models in this fit */
        int64_t started;
    } state;
};

/* ---- what is common ---------------------------------------------------------------- */

static void release(ursa_callback *callback)
{
    struct monitor *monitor = (struct monitor *)callback;
    free(monitor->name);
    free(monitor->path);
    free(monitor);
}

static struct monitor *make(const char *callback_name, int order,
                            ursa_verdict (*on)(ursa_callback *, ursa_learner *, ursa_event), const char *name,
                            const ursa_monitor_options *options)
{
    struct monitor *monitor = (struct monitor *)ursa_callback_make(sizeof *monitor, callback_name, order, on, release);
    if (!monitor)
        return NULL;
    name = name ? name : "valid_loss";
    monitor->options = *options;
    monitor->options.patience = options->patience > 0 ? options->patience : 1;
    monitor->less = options->less || (!options->greater && (strstr(name, "loss") || strstr(name, "error")));
    monitor->name = ursa_copy_string(name);
    monitor->callback.state = &monitor->state;
    monitor->callback.state_bytes = sizeof monitor->state;
    if (monitor->name)
        return monitor;
    release(&monitor->callback);
    return NULL;
}

static ursa_verdict begin(struct monitor *monitor, ursa_learner *learner)
{
    if (!monitor->options.keep_best || !monitor->state.started)
        monitor->state.best = monitor->less ? INFINITY : -INFINITY;
    monitor->state.started = 1;
    monitor->state.wait = monitor->state.saved = 0;
    return ursa_record_find(learner, monitor->name) < 0 ? URSA_FAIL : URSA_CONTINUE;
}

/* Whether the epoch that has ended was the best so far. */
static bool is_best(struct monitor *monitor, ursa_learner *learner)
{
    double value = ursa_last_value(learner, monitor->name), delta = monitor->options.min_delta;
    bool better = monitor->less ? value + delta < monitor->state.best : value - delta > monitor->state.best;
    if (better)
        monitor->state.best = value;
    return better;
}

/* Whether the epochs without a better value have become too many. */
static bool is_out_of_patience(struct monitor *monitor, ursa_learner *learner)
{
    monitor->state.wait = is_best(monitor, learner) ? 0 : monitor->state.wait + 1;
    return monitor->state.wait >= monitor->options.patience;
}

/* ---- stopping ------------------------------------------------------------------------- */

static ursa_verdict on_stopping(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    struct monitor *monitor = (struct monitor *)callback;
    if (event == URSA_BEFORE_FIT)
        return begin(monitor, learner);
    if (event != URSA_AFTER_EPOCH || !is_out_of_patience(monitor, learner))
        return URSA_CONTINUE;
    ursa_log_line(URSA_LOG_INFO, "no better %s since epoch %lld: early stopping", monitor->name,
                  (long long)(learner->training.epoch - monitor->state.wait));
    return URSA_STOP_FIT;
}

ursa_callback *ursa_early_stopping_opt(const char *name, const ursa_monitor_options *options)
{
    struct monitor *monitor = make("early_stopping", 80, on_stopping, name, options);
    return monitor ? &monitor->callback : NULL;
}

/* ---- saving ------------------------------------------------------------------------------ */

/* "model_3.safetensors" */
static char *numbered(const char *path, int64_t epoch)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    int stem = dot ? (int)(dot - path) : (int)strlen(path);
    return ursa_format("%.*s_%lld%s", stem, path, (long long)epoch, dot ? dot : "");
}

static ursa_verdict save(struct monitor *monitor, ursa_learner *learner)
{
    bool every = monitor->options.every_epoch;
    char *path = every ? numbered(monitor->path, learner->training.epoch) : ursa_copy_string(monitor->path);
    bool saved = path && ursa_learner_save(learner, path, .without_opt = !monitor->options.with_opt);
    monitor->state.saved += saved;
    free(path);
    return saved ? URSA_CONTINUE : URSA_FAIL;
}

static ursa_verdict load_best(struct monitor *monitor, ursa_learner *learner)
{
    if (monitor->options.every_epoch || !monitor->state.saved || ursa_error())
        return URSA_CONTINUE;
    bool loaded = ursa_learner_load(learner, monitor->path, .without_opt = !monitor->options.with_opt);
    return loaded ? URSA_CONTINUE : URSA_FAIL;
}

static ursa_verdict on_saving(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    struct monitor *monitor = (struct monitor *)callback;
    switch (event) {
    case URSA_BEFORE_FIT:
        return begin(monitor, learner);
    case URSA_AFTER_EPOCH:
        return monitor->options.every_epoch || is_best(monitor, learner) ? save(monitor, learner) : URSA_CONTINUE;
    case URSA_AFTER_FIT:
        return load_best(monitor, learner);
    default:
        return URSA_CONTINUE;
    }
}

ursa_callback *ursa_save_best_opt(const char *name, const char *path, const ursa_monitor_options *options)
{
    struct monitor *monitor = path ? make("save_best", 70, on_saving, name, options) : NULL;
    if (!monitor)
        return NULL;
    monitor->path = ursa_copy_string(path);
    if (monitor->path)
        return &monitor->callback;
    release(&monitor->callback);
    return NULL;
}

/* ---- lowering the rate ---------------------------------------------------------------------- */

static ursa_verdict on_plateau(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    struct monitor *monitor = (struct monitor *)callback;
    if (event == URSA_BEFORE_FIT)
        return begin(monitor, learner);
    if (event != URSA_AFTER_EPOCH || !is_out_of_patience(monitor, learner))
        return URSA_CONTINUE;
    ursa_optimizer *optimizer = learner->optimizer;
    for (int i = 0; i < ursa_optimizer_groups(optimizer); i++) {
        double lr = ursa_optimizer_lr(optimizer, i) / monitor->options.factor;
        ursa_optimizer_set_lr(optimizer, i, fmax(lr, monitor->options.min_lr));
    }
    monitor->state.wait = 0;
    ursa_log_line(URSA_LOG_INFO, "no better %s: the learning rate is now %g", monitor->name,
                  ursa_optimizer_lr(optimizer, ursa_optimizer_groups(optimizer) - 1));
    return URSA_CONTINUE;
}

ursa_callback *ursa_reduce_on_plateau_opt(const char *name, const ursa_monitor_options *options)
{
    struct monitor *monitor = make("reduce_on_plateau", 75, on_plateau, name, options);
    if (!monitor)
        return NULL;
    monitor->options.factor = options->factor > 0 ? options->factor : 10;
    return &monitor->callback;
}
