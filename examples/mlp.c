/* mlp.c — what deep learning is, on ursa's tensors:
 *
 *   input × weights → activation → × weights → how far from the target?
 *   → move the weights against the gradient → repeat.
 *
 *     mlp [ACTIVATION]      binary_step, logistic, tanh, arctan, relu, … (tanh)
 *
 * The task: is a point inside the circle? mlp_by_hand.c is the same network
 * without the library; both print the same losses.
 */
#include <ursa/ursa.h>

#include <math.h>
#include <stdio.h>

enum { POINTS = 256, HIDDEN = 16, STEPS = 3000 };

int main(int argc, char **argv)
{
    ursa_activation_fn *activation = ursa_activation_by_name(argc > 1 ? argv[1] : "tanh");
    float points[POINTS][2], targets[POINTS][1], w1[2][HIDDEN], w2[HIDDEN][1];
    for (int i = 0; i < POINTS; i++) {
        points[i][0] = (float)(i % 16) / 7.5f - 1;
        points[i][1] = (float)(i / 16) / 7.5f - 1;
        targets[i][0] = hypotf(points[i][0], points[i][1]) < 0.7f;
    }
    for (int i = 0; i < HIDDEN; i++) {
        w1[0][i] = sinf(1.0f + 3 * (float)i);
        w1[1][i] = cosf(2.0f + 5 * (float)i);
        w2[i][0] = sinf(3.0f + 7 * (float)i) / 4;
    }

    ursa_tensor *x = ursa_from(points, ursa_shape(POINTS, 2)), *target = ursa_from(targets, ursa_shape(POINTS, 1));
    ursa_tensor *weights1 = ursa_from(w1, ursa_shape(2, HIDDEN), .requires_grad = true);
    ursa_tensor *bias1 = ursa_zeros(ursa_shape(HIDDEN), .requires_grad = true);
    ursa_tensor *weights2 = ursa_from(w2, ursa_shape(HIDDEN, 1), .requires_grad = true);
    ursa_tensor *parameters[] = {weights1, bias1, weights2};
    ursa_optimizer *optimizer = ursa_optimizer_of(URSA_SGD, parameters, 3, &(ursa_optimizer_options){.lr = 0.1});

    for (int step = 0; step < STEPS && activation && !ursa_error(); step++) {
        ursa_scope *scope = ursa_scope_begin();
        ursa_tensor *hidden = activation(ursa_add(ursa_matmul(x, weights1), bias1));
        ursa_tensor *loss = ursa_mse(ursa_matmul(hidden, weights2), target);
        ursa_backward(loss);
        ursa_optimizer_step(optimizer);
        ursa_optimizer_zero_grad(optimizer);
        if (step % 300 == 0 || step == STEPS - 1)
            printf("step %4d  loss %.5f\n", step, ursa_item(loss));
        ursa_scope_end(scope);
    }
    ursa_optimizer_free(optimizer);
    return ursa_finish();
}
