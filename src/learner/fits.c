/* fits.c — the ways to train: what the rates of the groups do over a fit. */
#include "learner.h"

/* What is common to all fits; how the rates move is in the functions below. */
struct plan {
    ursa_learner *learner;
    const ursa_fit_options *options;
    int64_t epochs;
    int groups;
    double rates[URSA_GROUPS]; /* the highest of each group */
};

static double choose(double value, double fallback)
{
    return value > 0 ? value : fallback;
}

static bool begin(struct plan *plan, ursa_learner *learner, int64_t epochs, double lr, const ursa_fit_options *options)
{
    *plan = (struct plan){learner, options, epochs, .groups = ursa_optimizer_groups(learner->optimizer)};
    ursa_group_rates(learner, choose(lr, learner->options.lr), options->lr_first, plan->rates);
    if (options->reset_optimizer)
        ursa_optimizer_clear_state(learner->optimizer);
    bool set = options->weight_decay == 0 ||
               ursa_optimizer_set_decay(learner->optimizer, -1, choose(options->weight_decay, 0));
    for (int i = 0; set && i < plan->groups; i++)
        set = ursa_optimizer_set_lr(learner->optimizer, i, plan->rates[i]);
    return set;
}

static int given_callbacks(const ursa_fit_options *options)
{
    int count = 0;
    while (count < URSA_FIT_CALLBACKS && options->callbacks[count])
        count++;
    return count;
}

/* The callbacks of the options are freed whatever happens. */
static bool give_up(const ursa_fit_options *options)
{
    for (int i = 0; i < given_callbacks(options); i++)
        ursa_release_callback(options->callbacks[i]);
    return false;
}

static bool run(const struct plan *plan, ursa_callback *schedule)
{
    ursa_callback *callbacks[1 + URSA_FIT_CALLBACKS] = {schedule};
    int count = given_callbacks(plan->options);
    for (int i = 0; i < count; i++)
        callbacks[1 + i] = plan->options->callbacks[i];
    return ursa_run_fit_with(plan->learner, plan->epochs, callbacks, 1 + count);
}

bool ursa_fit_opt(ursa_learner *learner, int epochs, double lr, const ursa_fit_options *options)
{
    struct plan plan;
    if (!learner || !begin(&plan, learner, epochs, lr, options))
        return give_up(options);
    return ursa_run_fit_with(learner, epochs, options->callbacks, given_callbacks(options));
}

/* ---- one cycle -------------------------------------------------------------------- */

static ursa_schedule *two_cosines(double pct_start, double start, double middle, double end)
{
    return ursa_schedule_combine(
        (double[]){pct_start, 1 - pct_start},
        (ursa_schedule *[]){ursa_schedule_cosine(start, middle), ursa_schedule_cosine(middle, end)}, 2);
}

static ursa_schedule *momentum_cycle(const struct plan *plan, double pct_start)
{
    double momentum[3];
    for (int i = 0; i < 3; i++)
        momentum[i] = plan->options->momentum[i] != 0 ? plan->options->momentum[i] : plan->learner->options.momentum[i];
    return two_cosines(pct_start, momentum[0], momentum[1], momentum[2]);
}

bool ursa_fit_one_cycle_opt(ursa_learner *learner, int epochs, double lr_max, const ursa_fit_options *options)
{
    struct plan plan;
    if (!learner || !begin(&plan, learner, epochs, lr_max, options))
        return give_up(options);
    double pct_start = choose(options->pct_start, 0.25);
    ursa_schedule *lr[URSA_GROUPS];
    for (int i = 0; i < plan.groups; i++)
        lr[i] = ursa_schedule_one_cycle(plan.rates[i], pct_start, options->div, options->div_final);
    return run(&plan, ursa_schedule_callback(lr, plan.groups, momentum_cycle(&plan, pct_start)));
}

/* ---- others ------------------------------------------------------------------------- */

bool ursa_fit_flat_cos_opt(ursa_learner *learner, int epochs, double lr, const ursa_fit_options *options)
{
    struct plan plan;
    if (!learner || !begin(&plan, learner, epochs, lr, options))
        return give_up(options);
    ursa_schedule *rates[URSA_GROUPS];
    for (int i = 0; i < plan.groups; i++)
        rates[i] = two_cosines(choose(options->pct_start, 0.75), plan.rates[i], plan.rates[i],
                               plan.rates[i] / choose(options->div_final, 1e5));
    return run(&plan, ursa_schedule_callback(rates, plan.groups, NULL));
}

enum { CYCLES = 32 };

/* The epochs of all cycles; 0 with an error when they cannot be. */
static int64_t sgdr_epochs(int cycles, int cycle_length, int cycle_mult)
{
    int64_t length = cycle_length, epochs = 0;
    for (int i = 0; i < cycles && i < CYCLES && epochs < INT32_MAX; i++, length *= cycle_mult)
        epochs += length;
    if (cycles >= 1 && cycles <= CYCLES && cycle_length >= 1 && cycle_mult >= 1 && epochs < INT32_MAX)
        return epochs;
    ursa_fail(URSA_ERROR_ARGUMENT,
              "fit_sgdr: %d cycles of %d epochs, each %d times as long as the one before; "
              "expected 1 to %d cycles, and 1 or more of the others",
              cycles, cycle_length, cycle_mult, CYCLES);
    return 0;
}

bool ursa_fit_sgdr_opt(ursa_learner *learner, int cycles, int cycle_length, double lr_max,
                       const ursa_fit_options *options)
{
    struct plan plan;
    int cycle_mult = options->cycle_mult ? options->cycle_mult : 2;
    int64_t epochs = learner ? sgdr_epochs(cycles, cycle_length, cycle_mult) : 0;
    if (!epochs || !begin(&plan, learner, epochs, lr_max, options))
        return give_up(options);
    double shares[CYCLES], length = cycle_length;
    for (int i = 0; i < cycles; i++, length *= cycle_mult)
        shares[i] = length / (double)epochs;
    ursa_schedule *lr[URSA_GROUPS], *pieces[CYCLES];
    for (int group = 0; group < plan.groups; group++) {
        for (int i = 0; i < cycles; i++)
            pieces[i] = ursa_schedule_cosine(plan.rates[group], 0);
        lr[group] = ursa_schedule_combine(shares, pieces, cycles);
    }
    return run(&plan, ursa_schedule_callback(lr, plan.groups, NULL));
}

/* ---- fine tuning ---------------------------------------------------------------------- */

static bool tune(ursa_learner *learner, int epochs, const ursa_fit_options *options)
{
    double base_lr = choose(options->base_lr, 2e-3);
    int freeze_epochs = options->freeze_epochs < 0 ? 0 : options->freeze_epochs > 0 ? options->freeze_epochs : 1;
    ursa_fit_options frozen = *options, whole = *options;
    frozen.lr_first = URSA_LR_TENTH;
    frozen.pct_start = 0.99;
    frozen.div = 0;
    whole.lr_first = base_lr / 2 / choose(options->lr_mult, 100);
    whole.pct_start = choose(options->pct_start, 0.3);
    whole.div = choose(options->div, 5);
    return (!freeze_epochs ||
            (ursa_freeze(learner) && ursa_fit_one_cycle_opt(learner, freeze_epochs, base_lr, &frozen))) &&
           ursa_unfreeze(learner) && ursa_fit_one_cycle_opt(learner, epochs, base_lr / 2, &whole);
}

bool ursa_fine_tune_opt(ursa_learner *learner, int epochs, const ursa_fit_options *options)
{
    int count = given_callbacks(options);
    ursa_fit_options rest = *options;
    for (int i = 0; i < count; i++)
        rest.callbacks[i] = NULL;
    if (!ursa_add_callbacks(learner, options->callbacks, count))
        return false;
    bool done = learner && tune(learner, epochs, &rest);
    ursa_remove_callbacks(learner, options->callbacks, count);
    return done;
}
