/* Classifies one image with a generated network: a horizontal gradient, so that nothing needs to be
 * read. With random weights the class means nothing, but it is the same every time. */
#include <pocket_uib.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    float *image = malloc(sizeof(float) * pocket_uib_input_count);
    float scores[pocket_uib_output_count];
    pocket_uib_network *network = pocket_uib_create_from_file(WEIGHTS, 1);
    int best = 0, failed = image == NULL || network == NULL;
    for (int i = 0; !failed && i < pocket_uib_input_count; i++) {
        const int x = i / pocket_uib_input_channels % pocket_uib_input_width;
        image[i] = 2.0f * (float)x / (float)pocket_uib_input_width - 1.0f;
    }
    if (failed || pocket_uib_run(network, image, scores) != 0) {
        fprintf(stderr, "classify: %s\n", pocket_uib_last_error());
        failed = 1;
    }
    for (int i = 1; !failed && i < pocket_uib_output_count; i++) {
        best = scores[i] > scores[best] ? i : best;
    }
    if (!failed) {
        printf("class %d of %d, score %g\n", best, pocket_uib_output_count, scores[best]);
    }
    pocket_uib_destroy(network);
    free(image);
    return failed;
}
