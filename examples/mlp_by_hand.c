/* mlp_by_hand.c — the network of mlp.c in forty lines of plain C: the same
 * numbers, to show that there is nothing more to it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { POINTS = 256, HIDDEN = 16, STEPS = 3000 };

int main(int argc, char **argv)
{
    int relu = argc > 1 && strcmp(argv[1], "relu") == 0;
    float w1[2][HIDDEN], b1[HIDDEN] = {0}, w2[HIDDEN], rate = 0.1f;
    for (int j = 0; j < HIDDEN; j++) {
        w1[0][j] = sinf(1.0f + 3 * (float)j);
        w1[1][j] = cosf(2.0f + 5 * (float)j);
        w2[j] = sinf(3.0f + 7 * (float)j) / 4;
    }
    for (int step = 0; step < STEPS; step++) {
        float loss = 0, dw1[2][HIDDEN] = {{0}}, db1[HIDDEN] = {0}, dw2[HIDDEN] = {0};
        for (int i = 0; i < POINTS; i++) {
            float x[2] = {(float)(i % 16) / 7.5f - 1, (float)(i / 16) / 7.5f - 1}, hidden[HIDDEN], out = 0;
            for (int j = 0; j < HIDDEN; j++) {
                float sum = x[0] * w1[0][j] + x[1] * w1[1][j] + b1[j];
                hidden[j] = relu ? fmaxf(sum, 0) : tanhf(sum);
                out += hidden[j] * w2[j];
            }
            float error = out - (hypotf(x[0], x[1]) < 0.7f), dout = 2 * error / POINTS;
            loss += error * error / POINTS;
            for (int j = 0; j < HIDDEN; j++) {
                float slope = relu ? hidden[j] > 0 : 1 - hidden[j] * hidden[j], dsum = dout * w2[j] * slope;
                dw2[j] += dout * hidden[j];
                dw1[0][j] += dsum * x[0];
                dw1[1][j] += dsum * x[1];
                db1[j] += dsum;
            }
        }
        for (int j = 0; j < HIDDEN; j++) {
            w1[0][j] -= rate * dw1[0][j];
            w1[1][j] -= rate * dw1[1][j];
            b1[j] -= rate * db1[j];
            w2[j] -= rate * dw2[j];
        }
        if (step % 300 == 0 || step == STEPS - 1)
            printf("step %4d  loss %.5f\n", step, (double)loss);
    }
}
