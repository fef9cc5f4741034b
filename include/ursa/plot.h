/* plot.h — pictures for people: charts, heat maps, and grids of images.
 *
 * Drawn with Cairo and written as PNG (two pixels a point, for sharp screens)
 * or SVG, by the suffix of the path; a picture appears whole or not at all.
 * Colours can be told apart by the colour-blind. Without Cairo built in, the
 * functions fail and say so. All return false with an error when they cannot.
 */
#ifndef URSA_PLOT_H
#define URSA_PLOT_H

#include <ursa/vision.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- charts ------------------------------------------------------------------ */

typedef enum ursa_mark { URSA_LINE, URSA_DOTS, URSA_BARS } ursa_mark;

/* Numbers drawn alike. Those that are not finite (and, on a logarithmic axis,
 * not above 0) leave gaps. */
typedef struct ursa_series {
    const double *y, *x; /* x NULL: 0, 1, 2, … */
    int64_t count;
    ursa_mark mark;
    const char *label; /* in the legend; NULL: none */
    int colour;        /* 1, 2, … of the palette; 0: the series' own place in it */
    bool light;        /* thin and pale: what lies behind a smooth line */
    bool dashed;
} ursa_series;

typedef struct ursa_chart_options {
    const char *title, *x_label, *y_label;
    bool log_x, log_y;
    double x_low, x_high, y_low, y_high; /* of the axes; both 0: from the data */
    const char *const *names;            /* of the places 0, 1, … along x, for bars; `name_count` of them */
    int name_count;
    int width, height; /* points; default 560 × 380 */
} ursa_chart_options;

/* Draws series over common axes: ursa_plot_chart(series, 2, "loss.svg", .title = "Loss"). */
URSA_API bool ursa_plot_chart_opt(const ursa_series *series, int count, const char *path,
                                  const ursa_chart_options *options);
#define ursa_plot_chart(series, count, path, ...)                                                                      \
    ursa_plot_chart_opt(series, count, path, &(ursa_chart_options){__VA_ARGS__})

/* ---- heat maps ----------------------------------------------------------------- */

/* From light to dark: ColorBrewer's Blues; from dark to light: matplotlib's
 * viridis and magma. */
typedef enum ursa_colour_map { URSA_BLUES, URSA_VIRIDIS, URSA_MAGMA } ursa_colour_map;

typedef struct ursa_heat_map_options {
    const char *title, *x_label, *y_label;
    const char *const *row_names, *const *column_names; /* NULL: none; too long ones are shortened with … */
    const char *format;                                 /* of the numbers in the cells: "%.2f"; NULL: none */
    double low, high;                                   /* the ends of the colours; both 0: those of the data */
    ursa_colour_map map;
} ursa_heat_map_options;

/* A cell per number of a row-major [rows, columns] matrix. Cells shrink with
 * their number; numbers are left out where they would not fit. */
URSA_API bool ursa_plot_heat_map_opt(const double *values, int rows, int columns, const char *path,
                                     const ursa_heat_map_options *options);
#define ursa_plot_heat_map(values, rows, columns, path, ...)                                                           \
    ursa_plot_heat_map_opt(values, rows, columns, path, &(ursa_heat_map_options){__VA_ARGS__})

/* ---- grids of images -------------------------------------------------------------- */

/* One picture of a grid. */
typedef struct ursa_plot_cell {
    const ursa_image *image;
    const char *caption;  /* above it, a line each up to '\n', three at most; too long a line is shortened with … */
    bool wrong;           /* caption in vermilion rather than black, with a cross before it */
    const float *points;  /* (x, y) in pixels, drawn as dots: what is true */
    int point_count;      /* … how many */
    const float *guesses; /* the same for what was predicted, `point_count` of them, drawn as crosses */
} ursa_plot_cell;

/* What a colour in the pictures stands for. */
typedef struct ursa_plot_key {
    const char *name;
    double red, green, blue; /* 0 … 1 */
} ursa_plot_key;

typedef struct ursa_grid_options {
    int columns; /* default: one row of up to five, else nearly a square */
    const char *title;
    int cell;                  /* points that an image is wide and high; default 128 */
    const ursa_plot_key *keys; /* below the pictures; `key_count` of them */
    int key_count;
} ursa_grid_options;

/* Images side by side; small ones are enlarged by whole numbers so that their
 * pixels stay sharp. */
URSA_API bool ursa_plot_grid_opt(const char *path, const ursa_plot_cell *cells, int count,
                                 const ursa_grid_options *options);
#define ursa_plot_grid(path, cells, count, ...)                                                                        \
    ursa_plot_grid_opt(path, cells, count, &(ursa_grid_options){__VA_ARGS__})

/* ---- training ------------------------------------------------------------------------ */

/* The losses of all training so far: every step's, pale, and their running mean;
 * and the validation set's after every epoch. */
URSA_API bool ursa_plot_losses(ursa_learner *learner, const char *path);
/* The learning rate of every step so far. */
URSA_API bool ursa_plot_rates(ursa_learner *learner, const char *path);
/* The curve of the learning rate finder, without its ends as fastai shows it,
 * with its suggestions marked. */
URSA_API bool ursa_plot_lr_find(const ursa_lr_found *found, const char *path);
/* A schedule over the whole of a training. */
URSA_API bool ursa_plot_schedule(const ursa_schedule *schedule, const char *path);
/* A live loss graph: draws ursa_plot_losses() anew after every epoch. A picture
 * that cannot be written ends the training. */
URSA_API ursa_callback *ursa_live_losses(const char *path);

#ifdef __cplusplus
}
#endif
#endif
