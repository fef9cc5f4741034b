/* report.c — all there is to see of a training, on one page. */
#include "report.h"
#include "interpretation.h"
#include "base/memory.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SHOWN_CONFUSIONS = 20, SHOWN_LOSSES = 12 };

struct report {
    ursa_learner *learner;
    ursa_interpretation *interp; /* NULL without a validation set */
    const char *folder;
    struct ursa_text page;
};

static bool make_folder(const char *path)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return true;
    return ursa_fail(URSA_ERROR_IO, "%s: cannot be made: %s", path, strerror(errno));
}

static void heading(struct report *report, const char *text)
{
    ursa_text_add(&report->page, "<h2>%s</h2>\n", text);
}

/* ---- pictures ------------------------------------------------------------------------ */

/* Draws one of the pictures to a path. */
typedef bool drawing(struct report *report, const char *path);

static bool draw_losses(struct report *report, const char *path)
{
    return ursa_plot_losses(report->learner, path);
}

static bool draw_rates(struct report *report, const char *path)
{
    return ursa_plot_rates(report->learner, path);
}

static bool draw_batch(struct report *report, const char *path)
{
    return ursa_show_batch(ursa_learner_data(report->learner), path, .max_n = 12, .rows = 2);
}

static bool draw_results(struct report *report, const char *path)
{
    return ursa_show_results_of(report->interp, path, &(ursa_show_options){.max_n = 12});
}

static bool draw_confusion(struct report *report, const char *path)
{
    return ursa_plot_confusion_matrix(report->interp, path);
}

static bool draw_shares(struct report *report, const char *path)
{
    return ursa_plot_confusion_matrix(report->interp, path, .normalize = true);
}

static bool draw_top_losses(struct report *report, const char *path)
{
    return ursa_plot_top_losses(report->interp, SHOWN_LOSSES, path);
}

static bool draw_regression(struct report *report, const char *path)
{
    return ursa_plot_regression(report->interp, path);
}

static bool add_picture(struct report *report, const char *name, const char *description, drawing *draw)
{
    char *path = ursa_format("%s/%s", report->folder, name);
    bool done = path && draw(report, path) && ursa_html_image(&report->page, path, description);
    free(path);
    return done;
}

/* ---- tables ----------------------------------------------------------------------------- */

static void cell(struct ursa_text *page, const char *tag, const char *text, bool name)
{
    ursa_text_add(page, "<%s%s>", tag, name ? " class=name" : "");
    ursa_html_escape(page, text);
    ursa_text_add(page, "</%s>", tag);
}

static void number(struct ursa_text *page, double value)
{
    ursa_text_add(page, "<td>%.4f</td>", value);
}

static void add_epochs(struct report *report)
{
    struct ursa_text *page = &report->page;
    const ursa_epoch_record *records;
    const ursa_metric *metrics;
    int count = ursa_epoch_records(report->learner, &records);
    int metric_count = ursa_learner_metrics(report->learner, &metrics);
    if (count == 0)
        return;
    heading(report, "Epochs");
    ursa_text_add(page, "<table><tr><th>epoch</th><th>train_loss</th><th>valid_loss</th>");
    for (int i = 0; i < metric_count; i++)
        cell(page, "th", metrics[i].name, false);
    ursa_text_add(page, "<th>time</th></tr>\n");
    for (int i = 0; i < count; i++) {
        ursa_text_add(page, "<tr><td>%d</td>", i + 1);
        number(page, records[i].train_loss);
        number(page, records[i].valid_loss);
        for (int j = 0; j < metric_count; j++)
            number(page, records[i].metrics[j]);
        int seconds = (int)(records[i].seconds + 0.5);
        ursa_text_add(page, "<td>%02d:%02d</td></tr>\n", seconds / 60, seconds % 60);
    }
    ursa_text_add(page, "</table>\n");
}

static bool add_confused(struct report *report)
{
    struct ursa_text *page = &report->page;
    const ursa_confusion *list;
    int count = ursa_most_confused(report->interp, 1, &list);
    if (count <= 0)
        return count == 0;
    heading(report, "Most confused");
    ursa_text_add(page, "<table><tr><th class=name>is</th><th class=name>was taken for</th><th>times</th></tr>\n");
    for (int i = 0; i < count && i < SHOWN_CONFUSIONS; i++) {
        ursa_text_add(page, "<tr>");
        cell(page, "td", list[i].actual_name, true);
        cell(page, "td", list[i].predicted_name, true);
        ursa_text_add(page, "<td>%lld</td></tr>\n", (long long)list[i].count);
    }
    ursa_text_add(page, "</table>\n");
    if (count > SHOWN_CONFUSIONS)
        ursa_text_add(page, "<p class=pale>and %d more pairs</p>\n", count - SHOWN_CONFUSIONS);
    return true;
}

static bool add_top_loss_table(struct report *report)
{
    struct ursa_text *page = &report->page;
    const ursa_top_loss *list;
    int count = ursa_top_losses(report->interp, SHOWN_LOSSES, true, &list);
    if (count < 1)
        return false;
    ursa_text_add(page, "<table><tr><th class=name>item</th><th class=name>prediction</th><th class=name>is</th>"
                        "<th>loss</th><th>probability</th></tr>\n");
    for (int i = 0; i < count; i++) {
        char place[32], share[32] = "";
        snprintf(place, sizeof place, "%lld", (long long)list[i].index);
        if (!isnan(list[i].probability))
            snprintf(share, sizeof share, "%.1f %%", 100 * list[i].probability);
        ursa_text_add(page, "<tr>");
        cell(page, "td", list[i].path ? list[i].path : place, true);
        cell(page, "td", list[i].predicted >= 0 ? ursa_interpretation_name(report->interp, list[i].predicted) : "",
             true);
        cell(page, "td", list[i].actual >= 0 ? ursa_interpretation_name(report->interp, list[i].actual) : "", true);
        number(page, list[i].loss);
        cell(page, "td", share, false);
        ursa_text_add(page, "</tr>\n");
    }
    ursa_text_add(page, "</table>\n");
    return true;
}

static bool add_preformatted(struct report *report, const char *title, char *text)
{
    if (!text)
        return false;
    heading(report, title);
    ursa_text_add(&report->page, "<pre>");
    ursa_html_escape(&report->page, text);
    ursa_text_add(&report->page, "</pre>\n");
    free(text);
    return true;
}

/* ---- settings ---------------------------------------------------------------------------- */

static void setting(struct report *report, const char *name, const char *format, ...) URSA_PRINTF(3, 4);

static void setting(struct report *report, const char *name, const char *format, ...)
{
    char value[160];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    ursa_text_add(&report->page, "<tr>");
    cell(&report->page, "td", name, true);
    cell(&report->page, "td", value, true);
    ursa_text_add(&report->page, "</tr>\n");
}

static void add_items(struct report *report, const char *name, ursa_dataloader *loader)
{
    if (loader)
        setting(report, name, "%lld in batches of %d", (long long)ursa_dataloader_items(loader),
                ursa_dataloader_batch_size(loader));
}

static void add_settings(struct report *report)
{
    const ursa_step_record *steps;
    ursa_dataloaders *data = ursa_learner_data(report->learner);
    int64_t count = ursa_step_records(report->learner, &steps);
    double highest = 0;
    for (int64_t i = 0; i < count; i++)
        highest = fmax(highest, steps[i].lr);
    heading(report, "Settings");
    ursa_text_add(&report->page, "<table>\n");
    add_items(report, "training items", data->train);
    add_items(report, "validation items", data->valid);
    const char *const *names;
    int classes = ursa_dataloaders_vocab(data, &names);
    if (classes > 0)
        setting(report, "classes", "%d", classes);
    setting(report, "loss", "%s", ursa_learner_loss(report->learner)->class->name);
    setting(report, "parameters", "%lld", (long long)ursa_parameter_count(ursa_learner_model(report->learner)));
    setting(report, "steps", "%lld", (long long)count);
    setting(report, "highest learning rate", "%.3g", highest);
    setting(report, "seed", "%llu", (unsigned long long)ursa_seed());
    setting(report, "device", "%s", ursa_device_name(ursa_default_device()));
    setting(report, "ursa", "%s", ursa_version());
    ursa_text_add(&report->page, "</table>\n");
}

/* ---- the page -------------------------------------------------------------------------------- */

static bool add_training(struct report *report)
{
    const ursa_step_record *steps;
    add_epochs(report);
    if (ursa_step_records(report->learner, &steps) == 0)
        return true;
    heading(report, "Training");
    ursa_text_add(&report->page, "<div class=side>\n");
    bool done = add_picture(report, "losses.svg", "losses of all steps and epochs", draw_losses) &&
                add_picture(report, "rates.svg", "learning rates of all steps", draw_rates);
    ursa_text_add(&report->page, "</div>\n");
    return done;
}

static bool is_images(ursa_dataloaders *data)
{
    ursa_dataloader *loader = data->train ? data->train : data->valid;
    return loader && ursa_dataset_layout(ursa_dataloader_dataset(loader))->x_shape.ndim == 3;
}

static bool add_items_seen(struct report *report)
{
    if (!is_images(ursa_learner_data(report->learner)))
        return true;
    if (ursa_learner_data(report->learner)->train) {
        heading(report, "A batch");
        if (!add_picture(report, "batch.png", "items of a training batch", draw_batch))
            return false;
    }
    if (!report->interp)
        return true;
    heading(report, "Results");
    return add_picture(report, "results.png", "predictions for items of the validation set", draw_results);
}

static bool add_classes(struct report *report)
{
    if (!report->interp || report->interp->classes == 0)
        return true;
    bool done = add_preformatted(report, "Classes", ursa_classification_report(report->interp));
    if (!done || ursa_interpretation_decisions(report->interp) == 0)
        return done;
    heading(report, "Confusion");
    ursa_text_add(&report->page, "<div class=side>\n");
    done = add_picture(report, "confusion.png", "confusion matrix", draw_confusion) &&
           add_picture(report, "confusion_shares.png", "confusion matrix, shares of the actual class", draw_shares);
    ursa_text_add(&report->page, "</div>\n");
    return done && add_confused(report);
}

static bool add_numbers(struct report *report)
{
    const ursa_outputs *outputs = report->interp ? report->interp->outputs : NULL;
    if (!outputs || !outputs->values || report->interp->classes > 0 || outputs->target_size != outputs->size)
        return true;
    heading(report, "Numbers");
    return add_picture(report, "regression.png", "predicted over actual numbers", draw_regression);
}

static bool add_losses(struct report *report)
{
    if (!report->interp)
        return true;
    heading(report, "Top losses");
    return (!is_images(ursa_learner_data(report->learner)) ||
            add_picture(report, "top_losses.png", "the items with the largest losses", draw_top_losses)) &&
           add_top_loss_table(report);
}

static bool write_page(struct report *report)
{
    char *path = ursa_format("%s/index.html", report->folder), *page = ursa_text_take(&report->page);
    ursa_file_writer *writer = path && page ? ursa_file_writer_open(path) : NULL;
    bool done = writer && ursa_file_writer_write(writer, page, strlen(page));
    if (done)
        done = ursa_file_writer_commit(writer);
    else
        ursa_file_writer_abandon(writer);
    free(path);
    free(page);
    return done;
}

bool ursa_report(ursa_learner *learner, const char *folder)
{
    ursa_dataloaders *data = ursa_learner_data(learner);
    if (!data || !folder || !make_folder(folder))
        return false;
    struct report report = {.learner = learner, .folder = folder};
    if (data->valid && !(report.interp = ursa_interpret(learner)))
        return false;
    ursa_text_add(&report.page,
                  "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8><title>Training report</title>\n"
                  "<meta name=viewport content=\"width=device-width\">\n<style>%s</style></head><body>\n"
                  "<h1>Training report</h1>\n",
                  ursa_html_style);
    bool done = add_training(&report) && add_items_seen(&report) && add_classes(&report) && add_numbers(&report) &&
                add_losses(&report) && add_preformatted(&report, "Network", ursa_summary(learner));
    add_settings(&report);
    ursa_text_add(&report.page, "</body></html>\n");
    if (done)
        done = write_page(&report);
    else
        free(ursa_text_take(&report.page));
    ursa_interpretation_free(report.interp);
    return done;
}
