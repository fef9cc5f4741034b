/* chart.c — series of numbers over two axes. */
#include "palette.h"
#include "ticks.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double font = 11, small_font = 10, title_font = 13, pad = 8, legend_line = 17, swatch = 22;

struct chart {
    const ursa_series *series;
    int count;
    const ursa_chart_options *options;
    ursa_canvas *canvas;
    ursa_ticks x, y;
    double left, top, width, height; /* of the area inside the axes */
    bool slanted;                    /* names along x do not fit side by side */
    double longest_name;
};

static double x_of(const ursa_series *series, int64_t index)
{
    return series->x ? series->x[index] : (double)index;
}

static double across(const struct chart *chart, double value)
{
    return chart->left + chart->width * ursa_ticks_place(&chart->x, value);
}

static double down(const struct chart *chart, double value)
{
    return chart->top + chart->height * (1 - ursa_ticks_place(&chart->y, value));
}

static ursa_ink ink_of(const struct chart *chart, int index)
{
    const ursa_series *series = &chart->series[index];
    ursa_ink ink = ursa_palette(series->colour > 0 ? series->colour - 1 : index);
    return series->light ? ursa_with_alpha(ink, 0.3) : ink;
}

/* ---- ranges ----------------------------------------------------------------------- */

struct range {
    double low, high;
};

static void widen(struct range *range, double value, bool log)
{
    if (!isfinite(value) || (log && value <= 0))
        return;
    range->low = fmin(range->low, value);
    range->high = fmax(range->high, value);
}

/* Where there is no number at all the axis is 0 … 1, or 1 … 10. */
static struct range settled(struct range range, bool log)
{
    if (range.low <= range.high)
        return range;
    return log ? (struct range){1, 10} : (struct range){0, 1};
}

static bool has_bars(const struct chart *chart)
{
    for (int i = 0; i < chart->count; i++)
        if (chart->series[i].mark == URSA_BARS)
            return true;
    return false;
}

static bool has_labels(const struct chart *chart)
{
    for (int i = 0; i < chart->count; i++)
        if (chart->series[i].label)
            return true;
    return false;
}

static void make_axes(struct chart *chart)
{
    const ursa_chart_options *options = chart->options;
    struct range x = {INFINITY, -INFINITY}, y = {INFINITY, -INFINITY};
    for (int i = 0; i < chart->count; i++)
        for (int64_t j = 0; j < chart->series[i].count; j++) {
            widen(&x, x_of(&chart->series[i], j), options->log_x);
            widen(&y, chart->series[i].y[j], options->log_y);
        }
    x = settled(x, options->log_x);
    y = settled(y, options->log_y);
    bool bars = has_bars(chart), x_given = options->x_low != 0 || options->x_high != 0;
    bool y_given = options->y_low != 0 || options->y_high != 0;
    if (bars) {
        x = (struct range){x.low - 0.5, x.high + 0.5};
        y = (struct range){fmin(y.low, 0), fmax(y.high, 0)};
    }
    if (x_given)
        x = (struct range){options->x_low, options->x_high};
    if (y_given)
        y = (struct range){options->y_low, options->y_high};
    ursa_ticks_make(&chart->x, x.low, x.high, options->log_x, 8, x_given || bars ? 0 : 0.03);
    ursa_ticks_make(&chart->y, y.low, y.high, options->log_y, 6, y_given ? 0 : 0.05);
    if (bars && y.low == 0 && !y_given && !options->log_y)
        /* With room above the bars for the legend. */
        ursa_ticks_make(&chart->y, 0, y.high > 0 ? (has_labels(chart) ? 1.24 : 1.06) * y.high : 1, false, 6, 0);
}

/* ---- layout ----------------------------------------------------------------------- */

static double widest_y_label(const struct chart *chart)
{
    double widest = 0;
    for (int i = 0; i < chart->y.count; i++)
        widest = fmax(widest, ursa_text_width(chart->y.label[i], small_font, false));
    return widest;
}

static double widest_name(const struct chart *chart)
{
    double widest = 0;
    for (int i = 0; i < chart->options->name_count; i++)
        widest = fmax(widest, ursa_text_width(chart->options->names[i], small_font, false));
    return widest;
}

static void lay_out(struct chart *chart, double width, double height)
{
    const ursa_chart_options *options = chart->options;
    static const double longest = 110;
    chart->longest_name = fmin(widest_name(chart), longest);
    chart->left = pad + (options->y_label ? font + 10 : 0) + widest_y_label(chart) + 8;
    chart->top = pad + (options->title ? title_font + 12 : 6);
    chart->width = width - chart->left - 2 * pad - 4;
    chart->slanted = options->name_count > 0 && chart->longest_name + 6 > chart->width / options->name_count;
    double names = chart->slanted ? chart->longest_name * 0.71 + small_font : small_font;
    /* The first name leans out to the left. */
    if (chart->slanted)
        chart->left = fmax(chart->left, pad + names - 0.5 * chart->width / options->name_count);
    chart->width = width - chart->left - 2 * pad - 4;
    chart->height = height - chart->top - pad - names - 8 - (options->x_label ? font + 8 : 0);
}

/* ---- drawing the axes ---------------------------------------------------------------- */

static void draw_grid(const struct chart *chart)
{
    bool upright = chart->options->name_count == 0;
    for (int i = 0; upright && i < chart->x.count; i++) {
        double x = across(chart, chart->x.at[i]);
        ursa_canvas_line(chart->canvas, x, chart->top, x, chart->top + chart->height, ursa_grid_ink, 0.8, false);
    }
    for (int i = 0; i < chart->y.count; i++) {
        double y = down(chart, chart->y.at[i]);
        ursa_canvas_line(chart->canvas, chart->left, y, chart->left + chart->width, y, ursa_grid_ink, 0.8, false);
    }
}

static void draw_x_labels(const struct chart *chart, double bottom)
{
    const ursa_text_style style = {.size = small_font, .ink = ursa_text_ink, .across = 0.5};
    double end = -INFINITY;
    for (int i = 0; i < chart->x.count; i++) {
        double x = across(chart, chart->x.at[i]);
        double half = ursa_text_width(chart->x.label[i], small_font, false) / 2;
        ursa_canvas_line(chart->canvas, x, bottom, x, bottom + 4, ursa_text_ink, 0.9, false);
        if (x - half < end + 4)
            continue;
        ursa_canvas_text(chart->canvas, x, bottom + 7 + small_font * 0.8, chart->x.label[i], &style);
        end = x + half;
    }
    for (int i = 0; i < chart->x.minor_count; i++) {
        double x = across(chart, chart->x.minor[i]);
        ursa_canvas_line(chart->canvas, x, bottom, x, bottom + 2.5, ursa_text_ink, 0.6, false);
    }
}

static void draw_names(const struct chart *chart, double bottom)
{
    double slot = chart->width * (1 / (chart->x.high - chart->x.low));
    ursa_text_style style = {
        .size = small_font, .ink = ursa_text_ink, .across = 0.5, .max_width = chart->longest_name + 1};
    if (chart->slanted) {
        style.across = 1;
        style.angle = 45;
    }
    /* Where names would run into each other, only every so many. */
    int stride = chart->slanted ? (int)ceil((small_font + 4) * 1.42 / slot) : 1;
    for (int i = 0; i < chart->options->name_count; i += stride) {
        double x = across(chart, i);
        ursa_canvas_text(chart->canvas, chart->slanted ? x + small_font * 0.4 : x, bottom + 6 + small_font * 0.8,
                         chart->options->names[i], &style);
    }
}

static void draw_y_labels(const struct chart *chart)
{
    const ursa_text_style style = {.size = small_font, .ink = ursa_text_ink, .across = 1, .middle = true};
    for (int i = 0; i < chart->y.count; i++) {
        double y = down(chart, chart->y.at[i]);
        ursa_canvas_line(chart->canvas, chart->left - 4, y, chart->left, y, ursa_text_ink, 0.9, false);
        ursa_canvas_text(chart->canvas, chart->left - 7, y, chart->y.label[i], &style);
    }
    for (int i = 0; i < chart->y.minor_count; i++) {
        double y = down(chart, chart->y.minor[i]);
        ursa_canvas_line(chart->canvas, chart->left - 2.5, y, chart->left, y, ursa_text_ink, 0.6, false);
    }
}

static void draw_titles(const struct chart *chart, double width, double height)
{
    const ursa_chart_options *options = chart->options;
    ursa_text_style style = {.size = font, .ink = ursa_text_ink, .across = 0.5, .max_width = chart->width};
    ursa_canvas_text(chart->canvas, chart->left + chart->width / 2, height - pad - 2, options->x_label, &style);
    style.angle = 90;
    style.max_width = chart->height;
    ursa_canvas_text(chart->canvas, pad + font * 0.8, chart->top + chart->height / 2, options->y_label, &style);
    const ursa_text_style title = {
        .size = title_font, .bold = true, .ink = ursa_text_ink, .across = 0.5, .max_width = width - 2 * pad};
    ursa_canvas_text(chart->canvas, fmax(chart->left + chart->width / 2, 0), pad + title_font, options->title, &title);
}

/* ---- drawing the series -------------------------------------------------------------- */

static bool draw_line_series(const struct chart *chart, const ursa_series *series, ursa_ink ink)
{
    double *points = ursa_alloc_array((size_t)series->count + 1, 2 * sizeof *points);
    if (!points)
        return false;
    for (int64_t i = 0; i < series->count; i++) {
        points[2 * i] = across(chart, x_of(series, i));
        points[2 * i + 1] = down(chart, series->y[i]);
    }
    ursa_canvas_path(chart->canvas, points, series->count, ink, series->light ? 1 : 1.8, series->dashed);
    /* A single number, or one between gaps, would not be seen. */
    for (int64_t i = 0; i < series->count; i++) {
        bool before = i > 0 && isfinite(points[2 * i - 1]),
             after = i + 1 < series->count && isfinite(points[2 * i + 3]);
        if (isfinite(points[2 * i + 1]) && ((!before && !after) || (!series->light && series->count <= 30)))
            ursa_canvas_dot(chart->canvas, points[2 * i], points[2 * i + 1], 2.6, ink, false);
    }
    free(points);
    return true;
}

static void draw_dots(const struct chart *chart, const ursa_series *series, ursa_ink ink)
{
    double radius = series->count > 200 ? 2 : 4;
    for (int64_t i = 0; i < series->count; i++) {
        double x = across(chart, x_of(series, i)), y = down(chart, series->y[i]);
        if (isfinite(x) && isfinite(y))
            ursa_canvas_dot(chart->canvas, x, y, radius, ink, series->count <= 200);
    }
}

/* Series of bars stand side by side in each place. */
static void draw_bars(const struct chart *chart, int index, ursa_ink ink)
{
    const ursa_series *series = &chart->series[index];
    int groups = 0, mine = 0;
    for (int i = 0; i < chart->count; i++) {
        mine = i == index ? groups : mine;
        groups += chart->series[i].mark == URSA_BARS;
    }
    double slot = chart->width / (chart->x.high - chart->x.low), bar = 0.78 * slot / groups;
    double zero = down(chart, chart->options->log_y ? chart->y.low : 0);
    for (int64_t i = 0; i < series->count; i++) {
        double x = across(chart, x_of(series, i)) + (mine - groups / 2.0) * bar, y = down(chart, series->y[i]);
        if (isfinite(x) && isfinite(y))
            ursa_canvas_fill(chart->canvas, x, fmin(y, zero), bar, fabs(zero - y), ink);
    }
}

static bool draw_series(const struct chart *chart)
{
    bool drawn = true;
    ursa_canvas_clip(chart->canvas, chart->left, chart->top, chart->width, chart->height);
    for (int i = 0; drawn && i < chart->count; i++) {
        const ursa_series *series = &chart->series[i];
        ursa_ink ink = ink_of(chart, i);
        if (series->mark == URSA_LINE)
            drawn = draw_line_series(chart, series, ink);
        else if (series->mark == URSA_DOTS)
            draw_dots(chart, series, ink);
        else
            draw_bars(chart, i, ink);
    }
    ursa_canvas_unclip(chart->canvas);
    return drawn;
}

/* ---- the legend ------------------------------------------------------------------------ */

struct box {
    double x, y, width, height;
};

/* How many of the drawn points a box would hide; of long series, a sample. */
static int64_t hidden_by(const struct chart *chart, const struct box *box)
{
    int64_t hidden = 0;
    for (int i = 0; i < chart->count; i++) {
        const ursa_series *series = &chart->series[i];
        int64_t step = series->count / 500 + 1, weight = series->mark == URSA_DOTS ? 50 : 1;
        for (int64_t j = 0; j < series->count; j += step) {
            double x = across(chart, x_of(series, j)), y = down(chart, series->y[j]);
            bool under = series->mark == URSA_BARS ? y < box->y + box->height : y > box->y && y < box->y + box->height;
            hidden += x > box->x && x < box->x + box->width && under ? weight : 0;
        }
    }
    return hidden;
}

static struct box place_legend(const struct chart *chart, double width, double height)
{
    double right = chart->left + chart->width - width - 8, bottom = chart->top + chart->height - height - 8;
    double middle = chart->left + (chart->width - width) / 2;
    const struct box places[] = {
        {right, chart->top + 8, width, height},  {chart->left + 8, chart->top + 8, width, height},
        {right, bottom, width, height},          {chart->left + 8, bottom, width, height},
        {middle, chart->top + 8, width, height}, {middle, bottom, width, height},
    };
    struct box best = places[0];
    int64_t fewest = INT64_MAX;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int64_t hidden = hidden_by(chart, &places[i]);
        if (hidden < fewest) {
            best = places[i];
            fewest = hidden;
        }
    }
    return best;
}

static void draw_swatch(const struct chart *chart, int index, double x, double y)
{
    const ursa_series *series = &chart->series[index];
    ursa_ink ink = ink_of(chart, index);
    if (series->mark == URSA_LINE)
        ursa_canvas_line(chart->canvas, x, y, x + swatch, y, ink, series->light ? 1.2 : 1.8, series->dashed);
    else if (series->mark == URSA_DOTS)
        ursa_canvas_dot(chart->canvas, x + swatch / 2, y, 4, ink, true);
    else
        ursa_canvas_fill(chart->canvas, x + 3, y - 4, swatch - 6, 8, ink);
}

static void draw_legend(const struct chart *chart)
{
    double widest = 0, lines = 0;
    for (int i = 0; i < chart->count; i++)
        if (chart->series[i].label) {
            widest = fmax(widest, ursa_text_width(chart->series[i].label, small_font, false));
            lines++;
        }
    if (lines == 0)
        return;
    widest = fmin(widest, chart->width / 2);
    struct box box = place_legend(chart, widest + swatch + 24, lines * legend_line + 8);
    ursa_canvas_fill(chart->canvas, box.x, box.y, box.width, box.height, (ursa_ink){1, 1, 1, 0.85});
    ursa_canvas_frame(chart->canvas, box.x, box.y, box.width, box.height, (ursa_ink){0.8, 0.8, 0.8, 1}, 0.8);
    const ursa_text_style style = {.size = small_font, .ink = ursa_text_ink, .middle = true, .max_width = widest + 1};
    double y = box.y + 4 + legend_line / 2;
    for (int i = 0; i < chart->count; i++) {
        if (!chart->series[i].label)
            continue;
        draw_swatch(chart, i, box.x + 8, y);
        ursa_canvas_text(chart->canvas, box.x + 8 + swatch + 8, y, chart->series[i].label, &style);
        y += legend_line;
    }
}

/* ---- the whole --------------------------------------------------------------------------- */

static bool check(const ursa_series *series, int count, const ursa_chart_options *options)
{
    if (count < 1 || count > 64)
        return ursa_fail(URSA_ERROR_ARGUMENT, "plot_chart: %d series; expected 1 to 64", count);
    for (int i = 0; i < count; i++)
        if (series[i].count < 0 || (series[i].count > 0 && !series[i].y))
            return ursa_fail(URSA_ERROR_ARGUMENT, "plot_chart: series %d has no numbers", i);
    if (options->width < 0 || options->height < 0 || options->width > 8000 || options->height > 8000)
        return ursa_fail(URSA_ERROR_ARGUMENT, "plot_chart: %d × %d points; expected 1 to 8000", options->width,
                         options->height);
    return true;
}

bool ursa_plot_chart_opt(const ursa_series *series, int count, const char *path, const ursa_chart_options *options)
{
    if (!series || !path || !check(series, count, options))
        return false;
    double width = options->width ? options->width : 560, height = options->height ? options->height : 380;
    struct chart chart = {.series = series, .count = count, .options = options};
    chart.canvas = ursa_canvas_begin(path, width, height);
    if (!chart.canvas)
        return false;
    make_axes(&chart);
    lay_out(&chart, width, height);
    draw_grid(&chart);
    bool drawn = draw_series(&chart);
    ursa_canvas_frame(chart.canvas, chart.left, chart.top, chart.width, chart.height, ursa_text_ink, 0.9);
    if (options->name_count > 0)
        draw_names(&chart, chart.top + chart.height);
    else
        draw_x_labels(&chart, chart.top + chart.height);
    draw_y_labels(&chart);
    draw_titles(&chart, width, height);
    draw_legend(&chart);
    return ursa_canvas_finish(chart.canvas) && drawn;
}
