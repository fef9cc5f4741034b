/* no_cairo.c — stands in for the page where Cairo is not built in: no page can
 * be begun, so the rest has nothing to draw on. */
#include "canvas.h"

ursa_canvas *ursa_canvas_begin(const char *path, double width, double height)
{
    (void)width;
    (void)height;
    ursa_fail(URSA_ERROR_UNSUPPORTED, "%s: cannot be drawn: this ursa was built without Cairo", path);
    return NULL;
}

bool ursa_canvas_finish(ursa_canvas *canvas)
{
    (void)canvas;
    return false;
}

void ursa_canvas_fill(ursa_canvas *canvas, double x, double y, double width, double height, ursa_ink ink)
{
    (void)canvas;
    (void)x;
    (void)y;
    (void)width;
    (void)height;
    (void)ink;
}

void ursa_canvas_frame(ursa_canvas *canvas, double x, double y, double width, double height, ursa_ink ink,
                       double line_width)
{
    (void)canvas;
    (void)x;
    (void)y;
    (void)width;
    (void)height;
    (void)ink;
    (void)line_width;
}

void ursa_canvas_line(ursa_canvas *canvas, double x0, double y0, double x1, double y1, ursa_ink ink, double line_width,
                      bool dashed)
{
    (void)canvas;
    (void)x0;
    (void)y0;
    (void)x1;
    (void)y1;
    (void)ink;
    (void)line_width;
    (void)dashed;
}

void ursa_canvas_path(ursa_canvas *canvas, const double *points, int64_t count, ursa_ink ink, double line_width,
                      bool dashed)
{
    (void)canvas;
    (void)points;
    (void)count;
    (void)ink;
    (void)line_width;
    (void)dashed;
}

void ursa_canvas_dot(ursa_canvas *canvas, double x, double y, double radius, ursa_ink ink, bool outlined)
{
    (void)canvas;
    (void)x;
    (void)y;
    (void)radius;
    (void)ink;
    (void)outlined;
}

void ursa_canvas_clip(ursa_canvas *canvas, double x, double y, double width, double height)
{
    (void)canvas;
    (void)x;
    (void)y;
    (void)width;
    (void)height;
}

void ursa_canvas_unclip(ursa_canvas *canvas)
{
    (void)canvas;
}

void ursa_canvas_text(ursa_canvas *canvas, double x, double y, const char *text, const ursa_text_style *style)
{
    (void)canvas;
    (void)x;
    (void)y;
    (void)text;
    (void)style;
}

double ursa_canvas_image(ursa_canvas *canvas, const ursa_image *image, double x, double y, double width, double height,
                         double corner[2])
{
    (void)canvas;
    (void)image;
    (void)x;
    (void)y;
    (void)width;
    (void)height;
    corner[0] = corner[1] = 0;
    return 1;
}

double ursa_text_width(const char *text, double size, bool bold)
{
    (void)text;
    (void)size;
    (void)bold;
    return 0;
}
