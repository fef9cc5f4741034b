/* plot.h — pictures for people: grids of images, drawn with Cairo. Without
 * Cairo built in, the functions fail and say so.
 */
#ifndef URSA_PLOT_H
#define URSA_PLOT_H

#include <ursa/vision.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One picture of a grid. */
typedef struct ursa_plot_cell {
    const ursa_image *image;
    const char *caption; /* under it, up to two lines split by '\n'; too long a line is cut with … */
    bool wrong;          /* caption in vermilion rather than black, with a cross before it */
} ursa_plot_cell;

typedef struct ursa_grid_options {
    int columns; /* default: nearly a square */
    const char *title;
} ursa_grid_options;

/* Writes a PNG with the images side by side, small ones enlarged by whole
 * numbers so that their pixels stay sharp. */
URSA_API bool ursa_plot_grid_opt(const char *path, const ursa_plot_cell *cells, int count,
                                 const ursa_grid_options *options);
#define ursa_plot_grid(path, cells, count, ...)                                                                        \
    ursa_plot_grid_opt(path, cells, count, &(ursa_grid_options){__VA_ARGS__})

/* Predictions of a classifier for some items of a dataset (of its size), beside
 * what they are. */
URSA_API bool ursa_plot_predictions(const char *path, const ursa_classifier *classifier, ursa_dataset *dataset,
                                    int count);

#ifdef __cplusplus
}
#endif
#endif
