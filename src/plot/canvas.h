/* canvas.h — a page to draw on: the only part of this room that knows Cairo.
 *
 * Lengths are in points of 1/96 inch, x right and y down. A page becomes a PNG,
 * at two pixels a point, or an SVG, by the suffix of its path, and appears whole
 * or not at all. The text of an SVG can be searched and selected.
 *
 * Drawing on NULL does nothing. Without Cairo there are no pages, and
 * ursa_canvas_begin() says so.
 */
#ifndef URSA_PLOT_CANVAS_H
#define URSA_PLOT_CANVAS_H

#include <ursa/vision.h>

typedef struct ursa_ink {
    double red, green, blue, alpha; /* 0 … 1 */
} ursa_ink;

typedef struct ursa_text_style {
    double size; /* of the font */
    bool bold;
    ursa_ink ink;
    double across;    /* where in the text x is: 0 its left end, 0.5 its middle, 1 its right end */
    bool middle;      /* y is the middle of the capitals; else the base line */
    double angle;     /* degrees, anticlockwise */
    double max_width; /* of longer texts the middle is cut with …; 0: no limit */
} ursa_text_style;

typedef struct ursa_canvas ursa_canvas;

/* A white page. */
ursa_canvas *ursa_canvas_begin(const char *path, double width, double height);
/* Writes the file and frees the page. */
bool ursa_canvas_finish(ursa_canvas *canvas);

void ursa_canvas_fill(ursa_canvas *canvas, double x, double y, double width, double height, ursa_ink ink);
void ursa_canvas_frame(ursa_canvas *canvas, double x, double y, double width, double height, ursa_ink ink,
                       double line_width);
void ursa_canvas_line(ursa_canvas *canvas, double x0, double y0, double x1, double y1, ursa_ink ink, double line_width,
                      bool dashed);
/* A line through points (x, y); one that is not finite leaves a gap. */
void ursa_canvas_path(ursa_canvas *canvas, const double *points, int64_t count, ursa_ink ink, double line_width,
                      bool dashed);
void ursa_canvas_dot(ursa_canvas *canvas, double x, double y, double radius, ursa_ink ink, bool outlined);
/* What follows is drawn inside a rectangle only, until it ends. */
void ursa_canvas_clip(ursa_canvas *canvas, double x, double y, double width, double height);
void ursa_canvas_unclip(ursa_canvas *canvas);

void ursa_canvas_text(ursa_canvas *canvas, double x, double y, const char *text, const ursa_text_style *style);

/* As large as the box allows, in its middle: many times enlarged with sharp
 * pixels, otherwise smoothly. Returns the scale, and where its corner is. */
double ursa_canvas_image(ursa_canvas *canvas, const ursa_image *image, double x, double y, double width, double height,
                         double corner[2]);

/* How wide a text will be; 0 without Cairo. */
double ursa_text_width(const char *text, double size, bool bold);

#endif
