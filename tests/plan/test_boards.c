/* The catalogue of boards: that ours is fine, and that damaged ones are refused. */
#include "base/mem.h"
#include "paper.h"
#include "plan/boards.h"
#include "plan/boards_text.h"

static void test_ours(void **state)
{
    (void)state;
    struct boards *boards;
    assert_int_equal(boards_open(&boards, NULL), BRAMBLE_OK);
    static const char *const names[] = {"pizero2w", "pi3b+", "pi4", "pi5", "n100", "laptop", "desktop"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct board *board = boards_find(boards, names[i]);
        assert_non_null(board);
        assert_non_null(boards_link(boards, board->link));
    }
    assert_true(boards_find(boards, "pi5")->gemm_gflops > 2 * boards_find(boards, "pi4")->gemm_gflops);
    assert_true(boards_link(boards, "wifi")->latency > boards_link(boards, "lan1000")->latency);
    assert_null(boards_find(boards, "pi6"));
    assert_null(boards_link(boards, "string"));
    mem_free(boards);
}

static void test_words(void **state)
{
    (void)state;
    uint32_t n;
    const char *name;
    assert_true(boards_word("2xpi5", &n, &name) && n == 2 && strcmp(name, "pi5") == 0);
    assert_true(boards_word("pi5", &n, &name) && n == 1 && strcmp(name, "pi5") == 0);
    assert_true(boards_word("100000xn100", &n, &name) && n == 100000);
    assert_true(boards_word("4you", &n, &name) && n == 1 && strcmp(name, "4you") == 0);
    assert_false(boards_word("0xpi5", &n, &name));
    assert_false(boards_word("100001xpi5", &n, &name));
    assert_false(boards_word("99999999999999999999xpi5", &n, &name));
    assert_false(boards_word("2x", &n, &name));
    assert_false(boards_word("", &n, &name));
}

/* Each byte in turn is something else: refused, or still figures within reason. */
static void test_damaged(void **state)
{
    (void)state;
    char *text = mem_alloc(boards_text_length, 1);
    uint32_t refused = 0;
    for (size_t i = 0; i < boards_text_length; i += 7) {
        memcpy(text, boards_text, boards_text_length);
        text[i] = (char)(text[i] ^ (1 + i % 127));
        struct boards *boards;
        bramble_error error = {0};
        if (boards_read(&boards, text, boards_text_length, &error)) {
            assert_int_equal(error.status, BRAMBLE_ERR_DATA);
            refused++;
            continue;
        }
        for (uint32_t b = 0; b < boards->n_boards; b++)
            assert_true(boards->boards[b].gemm_gflops > 0 && boards->boards[b].cores > 0 &&
                        boards->boards[b].spread < 1);
        mem_free(boards);
    }
    assert_true(refused > 50);
    struct boards *boards;
    for (size_t length = 0; length < boards_text_length - 2; length += 101)
        assert_int_equal(boards_read(&boards, boards_text, length, NULL), BRAMBLE_ERR_DATA);
    mem_free(text);
}

static void test_out_of_reason(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[]",
        "{\"format\": \"bramble-boards-1\"}",
        "{\"format\": \"bramble-boards-1\", \"links\": [{\"name\": \"a\", \"up_mbit\": -1, \"down_mbit\": 1, "
        "\"latency_ms\": 1}], \"boards\": []}",
        "{\"format\": \"bramble-boards-1\", \"links\": [], \"boards\": [{\"name\": \"a\", \"text\": \"b\", "
        "\"link\": \"none\", \"cores\": 1, \"gemm_gflops\": 1, \"tree_rate\": 1, \"core_rate\": 1, "
        "\"memory_mb\": 1, \"spread\": 0.1}]}",
    };
    struct boards *boards;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(boards_read(&boards, texts[i], strlen(texts[i]), NULL), BRAMBLE_ERR_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ours), cmocka_unit_test(test_words),
                                       cmocka_unit_test(test_damaged), cmocka_unit_test(test_out_of_reason)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
