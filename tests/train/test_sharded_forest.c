/* Members that each hold some features grow together what one machine with all of them grows. */
#include "farming.h"
#include "threads_exchange.h"

#include "forest/grow.h"
#include "train/sharded_forest.h"

enum { TREES_MAX = 16 };

/* One member: what it is given and what comes of it. */
struct player {
    struct seat seat;
    struct sharded_job job;
    struct exchange exchange;
    struct binned_file *shard;
    struct forest forest;
    uint64_t importances[64];
    uint32_t fail_at; /* this tree cannot be kept */
    uint32_t refuse_after, asked;
    bramble_status status;
    bramble_error error;
    pthread_t thread;
};

static bool go_on(void *context)
{
    struct player *player = context;
    return !player->refuse_after || ++player->asked < player->refuse_after;
}

static bramble_status keep_tree(void *context, uint32_t number, const struct tree *tree,
                                const uint64_t *importances, bramble_error *error)
{
    struct player *player = context;
    struct tree *kept = &player->forest.trees[number];
    if (number == player->fail_at) {
        snprintf(error->message, sizeof error->message, "the disk is full");
        return error->status = BRAMBLE_ERR_IO;
    }
    assert_null(kept->nodes);
    *kept = *tree;
    kept->nodes = mem_alloc(tree->n_nodes, sizeof *tree->nodes);
    kept->sets = mem_alloc(tree->n_sets, sizeof *tree->sets);
    kept->values = mem_alloc(tree->n_values, sizeof *tree->values);
    memcpy(kept->nodes, tree->nodes, tree->n_nodes * sizeof *tree->nodes);
    memcpy(kept->sets, tree->sets, tree->n_sets * sizeof *tree->sets);
    memcpy(kept->values, tree->values, tree->n_values * sizeof *tree->values);
    for (uint32_t f = 0; f < player->forest.n_features; f++) player->importances[f] += importances[f];
    return BRAMBLE_OK;
}

static void *play(void *context)
{
    struct player *player = context;
    player->status = sharded_forest_grow(&player->job, &player->error);
    return NULL;
}

/* A table, cut into shards, and the members that hold them. */
struct game {
    struct meeting meeting;
    struct player players[MEMBERS_MAX];
    uint32_t trees[TREES_MAX];
    bramble_forest_options options;
};

static void seat_player(struct game *game, uint32_t m, const struct bramble_table *table,
                        const struct binned *binned, uint32_t begin, uint32_t end)
{
    struct player *player = &game->players[m];
    struct scratch scratch = scratch_new();
    const char *path = scratch_path(&scratch, "shard");
    assert_int_equal(binned_file_write_shard(path, table, binned, begin, end, NULL), BRAMBLE_OK);
    assert_int_equal(binned_file_read(&player->shard, path, NULL), BRAMBLE_OK);
    scratch_remove(&scratch);
    player->seat = (struct seat){&game->meeting, m, 0};
    player->exchange = exchange_of(&player->seat);
    player->fail_at = UINT32_MAX;
    player->forest = (struct forest){.task = table->schema.task,
                                     .n_features = table->schema.n_features,
                                     .n_classes = table->schema.n_classes,
                                     .n_trees = game->options.trees,
                                     .oob_score = NAN};
    player->forest.trees = mem_zalloc(game->options.trees, sizeof(struct tree));
    player->job = (struct sharded_job){.exchange = &player->exchange,
                                       .shard = player->shard,
                                       .options = &game->options,
                                       .trees = game->trees,
                                       .n_trees = game->options.trees,
                                       .threads = 1 + m % 2,
                                       .go_on = go_on,
                                       .done = keep_tree,
                                       .context = player};
}

/* Features dealt in blocks as even as may be, the trees in descending order. */
static struct game *new_game(const struct bramble_table *table, const bramble_forest_options *options,
                             uint32_t n_members)
{
    struct game *game = calloc(1, sizeof *game);
    struct binned *binned;
    uint32_t n_features = table->schema.n_features;
    meeting_init(&game->meeting, n_members);
    game->options = *options;
    for (uint32_t t = 0; t < options->trees; t++) game->trees[t] = options->trees - 1 - t;
    assert_int_equal(binned_new(&binned, table, 1, NULL), BRAMBLE_OK);
    for (uint32_t m = 0; m < n_members; m++)
        seat_player(game, m, table, binned, n_features * m / n_members, n_features * (m + 1) / n_members);
    binned_free(binned);
    return game;
}

static void play_all(struct game *game)
{
    uint32_t n = game->meeting.n_members;
    for (uint32_t m = 0; m < n; m++)
        assert_int_equal(pthread_create(&game->players[m].thread, NULL, play, &game->players[m]), 0);
    for (uint32_t m = 0; m < n; m++) pthread_join(game->players[m].thread, NULL);
}

static void free_game(struct game *game)
{
    for (uint32_t m = 0; m < game->meeting.n_members; m++) {
        struct player *player = &game->players[m];
        for (uint32_t t = 0; t < player->forest.n_trees; t++) tree_fini(&player->forest.trees[t]);
        mem_free(player->forest.trees);
        binned_file_free(player->shard);
    }
    meeting_fini(&game->meeting);
    free(game);
}

/* Every member has forest_fit's trees, and importances that add up to its. */
static void assert_grown(const struct game *game, const struct forest *fitted, const char *name)
{
    for (uint32_t m = 0; m < game->meeting.n_members; m++) {
        const struct player *player = &game->players[m];
        char hash[33], wanted[33];
        if (player->status) fail_msg("%s, member %u: %s", name, m, player->error.message);
        forest_hash(&player->forest, hash);
        forest_hash(fitted, wanted);
        if (strcmp(hash, wanted) != 0)
            fail_msg("%s: another forest with %u members", name, game->meeting.n_members);
        double sum = 0;
        for (uint32_t f = 0; f < fitted->n_features; f++) sum += (double)player->importances[f];
        for (uint32_t f = 0; f < fitted->n_features && sum > 0; f++)
            assert_true((double)player->importances[f] / sum == fitted->importances[f]);
    }
}

static void members_grow_the_forest_of_one_machine(void **state)
{
    (void)state;
    for (int i = 0; i < N_KINDS; i++) {
        struct bramble_table *table;
        struct kind kind = kind_of(i, &table);
        struct forest *fitted = grow(table, &kind.options);
        for (uint32_t n_members = 1; n_members < MEMBERS_MAX; n_members++) {
            struct game *game = new_game(table, &kind.options, n_members);
            play_all(game);
            assert_grown(game, fitted, kind.name);
            free_game(game);
        }
        forest_free(fitted);
        bramble_table_free(table);
    }
}

/* Features that are constant, everywhere or in most nodes, of which one is drawn at a time: members go on
 * drawing. */
static void constant_features_are_drawn_past(void **state)
{
    (void)state;
    enum { N = 400, F = 40 };
    float *x = calloc(N * F, sizeof *x);
    double y[N];
    struct rng rng;
    rng_init(&rng, 8, RNG_HOLDOUT, 4, 0);
    for (size_t i = 0; i < N; i++) {
        for (size_t f = 3; f < F; f += 9) x[i * F + f] = (float)rng_below(&rng, 6);
        x[i * F + 20] = rng_below(&rng, 50) ? NAN : 1;
        y[i] = floor(x[i * F + 3] / 3) + floor(x[i * F + 30] / 4) + (rng_below(&rng, 9) == 0);
    }
    for (int classify = 0; classify < 2; classify++)
        for (int leaf = 1; leaf < 40; leaf += 30) {
            struct bramble_table *table =
                table_of(N, F, x, y, NULL, classify ? BRAMBLE_TASK_CLASSIFICATION : BRAMBLE_TASK_REGRESSION);
            bramble_forest_options options = forest_defaults;
            options.trees = 12;
            options.max_features = "1";
            options.min_samples_leaf = leaf;
            options.splitter = leaf > 1 ? BRAMBLE_SPLITTER_RANDOM : BRAMBLE_SPLITTER_BEST;
            struct forest *fitted = grow(table, &options);
            struct game *game = new_game(table, &options, 4);
            play_all(game);
            assert_grown(game, fitted, "constant features");
            free_game(game);
            forest_free(fitted);
            bramble_table_free(table);
        }
    free(x);
}

/* Wide rows and nodes of tens of thousands of rows, and what that costs in bytes. */
static void large_nodes_are_shared(void **state)
{
    (void)state;
    enum { N = 20000, F = 60 };
    float *x = malloc(N * F * sizeof *x);
    double *y = malloc(N * sizeof *y);
    struct rng rng;
    rng_init(&rng, 2, RNG_HOLDOUT, 4, 0);
    for (size_t i = 0; i < N * F; i++) x[i] = (float)(rng_u32(&rng) >> 24);
    for (size_t i = 0; i < N; i++) y[i] = x[i * F] + x[i * F + 50] > 250;
    struct bramble_table *table = table_of(N, F, x, y, NULL, BRAMBLE_TASK_CLASSIFICATION);
    bramble_forest_options options = forest_defaults;
    options.trees = 5;
    struct forest *fitted = grow(table, &options);
    struct game *game = new_game(table, &options, 3);
    play_all(game);
    assert_grown(game, fitted, "large");
    size_t n_nodes = 0;
    for (uint32_t t = 0; t < 5; t++) n_nodes += fitted->trees[t].n_nodes;
    const struct channel *channel = &game->meeting.channels[0];
    print_message("%zu rounds; %zu bytes a tree of %zu nodes\n", channel->rounds[0], channel->bytes / 5,
                  n_nodes / 5);
    assert_true(channel->bytes / 5 < N * F / 2);
    free_game(game);
    forest_free(fitted);
    bramble_table_free(table);
    free(x);
    free(y);
}

/* One member cannot go on: all stop, each with one line that says whose fault it was. */
static void when_one_gives_up_all_do(void **state)
{
    (void)state;
    struct bramble_table *table;
    struct kind kind = kind_of(0, &table);
    for (uint32_t tree = 0; tree < kind.options.trees; tree += 5) {
        struct game *game = new_game(table, &kind.options, 3);
        game->players[1].fail_at = tree;
        play_all(game);
        for (uint32_t m = 0; m < 3; m++)
            assert_int_equal(game->players[m].status, m == 1 ? BRAMBLE_ERR_IO : BRAMBLE_ERR_CANCELLED);
        assert_string_equal(game->players[1].error.message, "the disk is full");
        assert_non_null(strstr(game->players[2].error.message, "member 1 of the run gave up"));
        free_game(game);
    }
    for (uint32_t after = 1; after < 3; after++) {
        struct game *game = new_game(table, &kind.options, 2);
        game->players[0].refuse_after = after;
        play_all(game);
        for (uint32_t m = 0; m < 2; m++) assert_int_equal(game->players[m].status, BRAMBLE_ERR_CANCELLED);
        free_game(game);
    }
    bramble_table_free(table);
}

static void members_must_mean_the_same_forest(void **state)
{
    (void)state;
    struct bramble_table *table;
    struct kind kind = kind_of(0, &table);
    bramble_forest_options other = kind.options;
    struct game *game = new_game(table, &kind.options, 2);
    other.seed++;
    game->players[1].job.options = &other;
    play_all(game);
    for (uint32_t m = 0; m < 2; m++) {
        assert_int_equal(game->players[m].status, BRAMBLE_ERR_DATA);
        assert_non_null(strstr(game->players[m].error.message, "other data or options"));
    }
    free_game(game);
    game = new_game(table, &kind.options, 2);
    game->players[1].job.shard = game->players[0].shard;
    play_all(game);
    for (uint32_t m = 0; m < 2; m++) {
        assert_int_equal(game->players[m].status, BRAMBLE_ERR_DATA);
        assert_non_null(strstr(game->players[m].error.message, "is held by"));
    }
    free_game(game);
    bramble_table_free(table);
}

static void failed_allocations_are_survived(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    struct bramble_table *table;
    struct kind kind = kind_of(3, &table);
    kind.options.trees = 2;
    for (size_t n = 1, reached = true; reached; n++) {
        struct game *game = new_game(table, &kind.options, 1);
        bramble_status status;
        game->players[0].fail_at = 0; /* memory ends before the first tree is kept, or at it */
        game->players[0].job.trees = &game->trees[1];
        game->players[0].job.n_trees = 1;
        mem_fail_at(n, n % 2);
        status = sharded_forest_grow(&game->players[0].job, &game->players[0].error);
        reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        assert_int_equal(status, reached ? BRAMBLE_ERR_MEMORY : BRAMBLE_ERR_IO);
        free_game(game);
    }
    bramble_table_free(table);
}

/* Bytes that change on the way are refused or give some other tree; nothing worse. */
static void spoilt_messages_do_no_harm(void **state)
{
    (void)state;
    struct bramble_table *table;
    size_t refused = 0;
    struct kind kind = kind_of(3, &table);
    kind.options.trees = 2;
    for (uint32_t i = 0; i < 150; i++) {
        struct game *game = new_game(table, &kind.options, 2);
        game->meeting.fault = (struct fault){
            .round = 1 + i % 15, .member = i % 2, .byte = i * i % 61, .bits = (uint8_t)(1 << i % 8)};
        play_all(game);
        assert_int_equal(game->players[0].status != BRAMBLE_OK, game->players[1].status != BRAMBLE_OK);
        refused += game->players[0].status != BRAMBLE_OK;
        free_game(game);
    }
    assert_true(refused > 20);
    bramble_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_grow_the_forest_of_one_machine),
        cmocka_unit_test(constant_features_are_drawn_past),
        cmocka_unit_test(large_nodes_are_shared),
        cmocka_unit_test(when_one_gives_up_all_do),
        cmocka_unit_test(members_must_mean_the_same_forest),
        cmocka_unit_test(failed_allocations_are_survived),
        cmocka_unit_test(spoilt_messages_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
