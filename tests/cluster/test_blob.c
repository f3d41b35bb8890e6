/* The cache of data: nothing is used that is not what it should be, and a disk that fails is no reason to
 * stop. */
#include "scratch.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/mem.h"
#include "cluster/blob.h"

enum { LENGTH = 300000, PIECE = 70000 };

struct place {
    struct scratch s, cache;
    uint8_t bytes[LENGTH];
    char hash[BLOB_HASH_LENGTH + 1];
};

static void hash_of(struct place *p)
{
    bramble_error error;
    uint64_t length;
    const char *path = scratch_write(&p->s, "source", p->bytes, LENGTH);
    assert_int_equal(blob_hash_file(path, p->hash, &length, &error), BRAMBLE_OK);
    assert_int_equal(length, LENGTH);
    assert_true(blob_hash_valid(p->hash));
}

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->s = scratch_new();
    p->cache = scratch_new();
    for (size_t i = 0; i < LENGTH; i++) p->bytes[i] = (uint8_t)(i * 2654435761u >> 24);
    hash_of(p);
    setenv("BRAMBLE_CACHE", p->cache.folder, 1);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;
    scratch_remove(&p->s);
    scratch_remove(&p->cache);
    free(p);
    return 0;
}

static struct blob_intake *intake_of(const struct place *p)
{
    struct blob_intake *intake;
    bramble_error error;
    assert_int_equal(blob_intake_new(&intake, p->hash, LENGTH, &error), BRAMBLE_OK);
    return intake;
}

/* Brings the data in, the last piece first. */
static char *bring_in(const struct place *p, struct blob_intake *intake, bool *kept)
{
    bramble_error error;
    char *path = NULL;
    for (size_t end = LENGTH; end > 0;) {
        size_t n = end < PIECE ? end : PIECE;
        end -= n;
        assert_int_equal(blob_intake_write(intake, end, p->bytes + end, n, &error), BRAMBLE_OK);
        assert_int_equal(blob_intake_missing(intake), end);
    }
    assert_int_equal(blob_intake_finish(intake, &path, kept, &error), BRAMBLE_OK);
    blob_intake_free(intake);
    return path;
}

static void holds(const struct place *p, const char *path)
{
    size_t n;
    uint8_t *bytes = scratch_slurp(path, &n);
    assert_int_equal(n, LENGTH);
    assert_memory_equal(bytes, p->bytes, LENGTH);
    free(bytes);
}

static void test_kept_and_found(void **state)
{
    struct place *p = *state;
    bool kept = false;
    char *found = NULL, *path = bring_in(p, intake_of(p), &kept);
    assert_true(kept && blob_find(p->hash, LENGTH, &found));
    assert_string_equal(found, path);
    holds(p, found);
    mem_free(found);
    mem_free(path);
    assert_int_equal(scratch_count(&p->cache), 1);
}

static void test_damaged_or_short_is_removed(void **state)
{
    struct place *p = *state;
    bool kept;
    char *found = NULL;
    for (unsigned i = 0; i < 2; i++) {
        char *path = bring_in(p, intake_of(p), &kept);
        int fd = open(path, O_RDWR);
        assert_true(i ? ftruncate(fd, LENGTH - 1) == 0 : pwrite(fd, "?", 1, LENGTH / 2) == 1);
        close(fd);
        mem_free(path);
        assert_false(blob_find(p->hash, LENGTH, &found));
        assert_int_equal(scratch_count(&p->cache), 0);
    }
    mem_free(bring_in(p, intake_of(p), &kept));
    assert_false(blob_find(p->hash, LENGTH + 1, &found));
}

static const char some_key[] = "0123456789abcdef0123456789abcdef";

static void assert_not_recalled(void)
{
    char hash[BLOB_HASH_LENGTH + 1], *path = NULL;
    uint64_t length;
    assert_false(blob_recall(some_key, hash, &length, &path));
    assert_null(path);
}

static void test_recalled_by_what_it_was_made_from(void **state)
{
    struct place *p = *state;
    bool kept;
    char hash[BLOB_HASH_LENGTH + 1], *path = bring_in(p, intake_of(p), &kept), *found = NULL;
    uint64_t length = 0;
    assert_not_recalled();
    blob_remember(some_key, p->hash, LENGTH);
    assert_true(blob_recall(some_key, hash, &length, &found));
    assert_string_equal(hash, p->hash);
    assert_int_equal(length, LENGTH);
    assert_string_equal(found, path);
    unlink(path);
    assert_not_recalled();
    assert_int_equal(scratch_count(&p->cache), 0);
    mem_free(found);
    mem_free(path);
}

static void test_damaged_notes_recall_nothing(void **state)
{
    struct place *p = *state;
    bool kept;
    char good[BLOB_HASH_LENGTH + 16], name[sizeof some_key + 8];
    mem_free(bring_in(p, intake_of(p), &kept));
    int n = snprintf(good, sizeof good, "%s %d\n", p->hash, LENGTH);
    snprintf(name, sizeof name, "%s.made", some_key);
    for (int cut = 0; cut < n; cut++) {
        scratch_write(&p->cache, name, good, (size_t)cut);
        assert_not_recalled();
    }
    for (int at = 0; at < n - 1; at++) {
        char bad[sizeof good];
        memcpy(bad, good, (size_t)n);
        bad[at] = '?';
        scratch_write(&p->cache, name, bad, (size_t)n);
        assert_not_recalled();
    }
    assert_int_equal(scratch_count(&p->cache), 1);
}

static void test_damaged_on_the_way(void **state)
{
    struct place *p = *state;
    bramble_error error;
    bool kept;
    char *path = NULL;
    struct blob_intake *intake = intake_of(p);
    p->bytes[7] ^= 1;
    assert_int_equal(blob_intake_write(intake, 0, p->bytes, LENGTH, &error), BRAMBLE_OK);
    assert_int_equal(blob_intake_finish(intake, &path, &kept, &error), BRAMBLE_ERR_DATA);
    assert_null(path);
    blob_intake_free(intake);
    assert_int_equal(scratch_count(&p->cache), 0);
}

static void test_hostile_names_and_places(void **state)
{
    struct place *p = *state;
    struct blob_intake *intake = NULL;
    bramble_error error;
    char *found = NULL;
    const char *victim = scratch_write(&p->s, "victim.data", "x", 1);
    char hash[128];
    snprintf(hash, sizeof hash, "../%s/victim", strrchr(p->s.folder, '/') + 1);
    assert_false(blob_find(hash, 5, &found));
    assert_int_equal(access(victim, F_OK), 0);
    assert_int_equal(blob_intake_new(&intake, hash, 5, &error), BRAMBLE_ERR_DATA);
    assert_int_equal(blob_intake_new(&intake, "", 5, &error), BRAMBLE_ERR_DATA);
    assert_int_equal(blob_intake_new(&intake, p->hash, 0, &error), BRAMBLE_ERR_DATA);
    assert_int_equal(blob_intake_new(&intake, p->hash, UINT64_MAX, &error), BRAMBLE_ERR_DATA);
    assert_null(intake);
    intake = intake_of(p);
    assert_int_equal(blob_intake_write(intake, LENGTH, "x", 1, &error), BRAMBLE_ERR_DATA);
    assert_int_equal(blob_intake_write(intake, UINT64_MAX, "x", 1, &error), BRAMBLE_ERR_DATA);
    assert_int_equal(blob_intake_write(intake, 1, p->bytes, LENGTH, &error), BRAMBLE_ERR_DATA);
    blob_intake_free(intake);
    assert_int_equal(scratch_count(&p->cache), 0);
}

static void test_link_is_not_followed(void **state)
{
    struct place *p = *state;
    char name[160], *found = NULL;
    snprintf(name, sizeof name, "%s/%s.data", p->cache.folder, p->hash);
    assert_int_equal(symlink(scratch_path(&p->s, "source"), name), 0);
    assert_false(blob_find(p->hash, LENGTH, &found));
}

static void test_abandoned_parts_go(void **state)
{
    struct place *p = *state;
    char part[160];
    snprintf(part, sizeof part, "%s/%s.AbCdEf", p->cache.folder, p->hash);
    close(open(part, O_CREAT | O_WRONLY, 0600));
    struct blob_intake *first = intake_of(p);
    assert_int_equal(access(part, F_OK), -1);
    struct blob_intake *second = intake_of(p); /* does not touch the first one's */
    assert_int_equal(scratch_count(&p->cache), 2);
    bool kept;
    mem_free(bring_in(p, first, &kept));
    assert_true(kept);
    mem_free(bring_in(p, second, &kept));
    assert_int_equal(scratch_count(&p->cache), 1);
}

static void test_adopt(void **state)
{
    struct place *p = *state;
    bramble_error error;
    char *path = NULL;
    assert_int_equal(blob_adopt(scratch_path(&p->s, "source"), p->hash, &path, &error), BRAMBLE_OK);
    assert_int_equal(strncmp(path, p->cache.folder, strlen(p->cache.folder)), 0);
    holds(p, path);
    mem_free(path);
    setenv("BRAMBLE_CACHE", "/proc/nothing", 1);
    const char *again = scratch_write(&p->s, "again", p->bytes, LENGTH);
    assert_int_equal(blob_adopt(again, p->hash, &path, &error), BRAMBLE_OK);
    assert_string_equal(path, again);
    holds(p, path);
    mem_free(path);
}

static void test_no_folder(void **state)
{
    struct place *p = *state;
    static const char *const folders[] = {"/proc/nothing", "relative", "/dev/null/x"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        setenv("BRAMBLE_CACHE", folders[i], 1);
        bool kept = true;
        char *found = NULL;
        assert_false(blob_find(p->hash, LENGTH, &found));
        char *path = bring_in(p, intake_of(p), &kept);
        assert_false(kept);
        holds(p, path);
        close(atoi(strrchr(path, '/') + 1));
        mem_free(path);
    }
}

/* A disk of `megabytes` at the cache's place, in a name space of our own; needs root. */
static bool small_disk(const struct place *p, unsigned megabytes)
{
    char size[32];
    snprintf(size, sizeof size, "size=%um", megabytes);
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", p->cache.folder, "tmpfs", 0, size) == 0;
}

static void put_blob(const struct place *p, char digit, size_t n, time_t when)
{
    char name[160], hash[BLOB_HASH_LENGTH + 1];
    memset(hash, digit, BLOB_HASH_LENGTH);
    hash[BLOB_HASH_LENGTH] = 0;
    snprintf(name, sizeof name, "%s/%s.data", p->cache.folder, hash);
    int fd = open(name, O_CREAT | O_WRONLY, 0600);
    assert_int_equal(posix_fallocate(fd, 0, (off_t)n), 0);
    close(fd);
    assert_int_equal(utimensat(AT_FDCWD, name, (struct timespec[2]){{.tv_sec = when}, {.tv_sec = when}}, 0),
                     0);
}

static bool is_there(const struct place *p, char digit)
{
    char name[160], hash[BLOB_HASH_LENGTH + 1];
    memset(hash, digit, BLOB_HASH_LENGTH);
    hash[BLOB_HASH_LENGTH] = 0;
    snprintf(name, sizeof name, "%s/%s.data", p->cache.folder, hash);
    return access(name, F_OK) == 0;
}

static void test_oldest_make_room(void **state)
{
    struct place *p = *state;
    bool kept = false;
    if (!small_disk(p, 2)) {
        printf("a disk of our own needs root\n");
        skip();
    }
    put_blob(p, 'a', 600000, 3000);
    put_blob(p, 'b', 600000, 1000); /* used longest ago */
    put_blob(p, 'c', 600000, 2000);
    mem_free(bring_in(p, intake_of(p), &kept));
    assert_true(kept && is_there(p, 'a') && !is_there(p, 'b') && is_there(p, 'c'));
    umount(p->cache.folder);
}

static void test_full_disk(void **state)
{
    struct place *p = *state;
    bool kept = true;
    if (!small_disk(p, 1)) {
        printf("a disk of our own needs root\n");
        skip();
    }
    char name[160];
    snprintf(name, sizeof name, "%s/hoard", p->cache.folder);
    int fd = open(name, O_CREAT | O_WRONLY, 0600);
    assert_int_equal(posix_fallocate(fd, 0, 800000), 0);
    close(fd);
    put_blob(p, 'a', 65536, 1000); /* removing it would not help: it stays */
    char *path = bring_in(p, intake_of(p), &kept);
    assert_true(!kept && is_there(p, 'a'));
    holds(p, path);
    close(atoi(strrchr(path, '/') + 1));
    mem_free(path);
    umount(p->cache.folder);
}

static void test_no_memory(void **state)
{
    struct place *p = *state;
    for (size_t n = 1; n < 12; n++) {
        bramble_error error;
        struct blob_intake *intake = NULL;
        bool kept;
        char *path = NULL;
        mem_fail_at(n, 0);
        bool failed = blob_intake_new(&intake, p->hash, LENGTH, &error) != BRAMBLE_OK ||
                      blob_intake_write(intake, 0, p->bytes, LENGTH, &error) != BRAMBLE_OK ||
                      blob_intake_finish(intake, &path, &kept, &error) != BRAMBLE_OK;
        mem_fail_at(0, 0);
        assert_true(failed == !path);
        if (path && !kept) close(atoi(strrchr(path, '/') + 1));
        blob_intake_free(intake);
        mem_free(path);
    }
}

#define PLACE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(test_kept_and_found),
        PLACE_TEST(test_damaged_or_short_is_removed),
        PLACE_TEST(test_recalled_by_what_it_was_made_from),
        PLACE_TEST(test_damaged_notes_recall_nothing),
        PLACE_TEST(test_damaged_on_the_way),
        PLACE_TEST(test_hostile_names_and_places),
        PLACE_TEST(test_link_is_not_followed),
        PLACE_TEST(test_abandoned_parts_go),
        PLACE_TEST(test_adopt),
        PLACE_TEST(test_no_folder),
        PLACE_TEST(test_oldest_make_room),
        PLACE_TEST(test_full_disk),
        PLACE_TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
