/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/container/identity-cache.h"
#include "../../liblayerbox/core/store.h"
#include "../../liblayerbox/util/file.h"

static struct lb_context *ctx;

static void put_record(const char *name, const char *ipv4)
{
	const struct record record = {
		.base = "b", .generation = 1, .id_start = 65536, .id_count = 10, .description = (char[]){ "" },
		.identity = { .mac = "00:16:3e:aa:00:01" },
	};
	struct record put = record;
	CLEANUP_FREE char *directory = text_format("root/containers/%s", name);
	CLEANUP_FD int fd = -1;

	strcpy(put.identity.ipv4, ipv4);
	mkdir(directory, 0700);
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(record_write(ctx, fd, name, &put), 0);
}

/* The addresses that are found, as "NAME=IPV4 ...". */
static const char *found(bool all)
{
	static char text[1024];
	struct record_identity *identities = NULL;
	size_t count = 0;

	*text = '\0';
	assert_int_equal(record_list_identities(ctx, all, &identities, &count), 0);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(identities[i].id_end, 65546);
		sprintf(text + strlen(text), "%s=%s ", identities[i].name, identities[i].identity.ipv4);
	}
	free(identities);
	return text;
}

/* Until a file that was written just now is old enough to be told from one written again. */
static void let_age(void)
{
	usleep(50000);
}

/* Where it is, one of this test's roots only. */
static char *cache_path(void)
{
	CLEANUP_FD int fd = open("root/containers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(identity_cache_free) struct identity_cache cache = { 0 };

	identity_cache_load(fd, &cache);
	assert_non_null(cache.path);
	return strdup(cache.path);
}

static int setup(void **state)
{
	struct lb_context_options options = { .size = sizeof options };
	CLEANUP_FREE char *cwd = NULL;
	CLEANUP_FREE char *root = NULL;

	if (scratch_enter(state) < 0)
		return -1;
	need_root();
	cwd = getcwd(NULL, 0);
	root = text_format("%s/root", cwd);
	options.root = root;
	/* A run directory of our own: the cache is to be made, spoilt and lost. */
	if (tree_make_directories(AT_FDCWD, RUNSTATEDIR, 0755) < 0 ||
	    mount("tmpfs", RUNSTATEDIR, "tmpfs", 0, "mode=755") < 0 || lb_context_new(&options, &ctx) < 0)
		return -1;
	return store_prepare(ctx) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	lb_context_free(ctx);
	return scratch_leave(state);
}

static void test_follows_the_records(void **state)
{
	(void)state;
	assert_string_equal(found(true), "");
	put_record("a", "10.0.3.2");
	put_record("c", "10.0.3.3");
	assert_string_equal(found(true), "a=10.0.3.2 c=10.0.3.3 ");
	let_age();
	assert_string_equal(found(true), "a=10.0.3.2 c=10.0.3.3 ");
	put_record("b", "10.0.3.4");
	assert_string_equal(found(true), "a=10.0.3.2 b=10.0.3.4 c=10.0.3.3 ");
	put_record("a", "10.0.3.9");
	assert_string_equal(found(true), "a=10.0.3.9 b=10.0.3.4 c=10.0.3.3 ");
	assert_int_equal(rename("root/containers/a", "root/containers/d"), 0);
	assert_string_equal(found(true), "b=10.0.3.4 c=10.0.3.3 d=10.0.3.9 ");
	let_age();
	assert_string_equal(found(true), "b=10.0.3.4 c=10.0.3.3 d=10.0.3.9 ");
	assert_int_equal(unlink("root/containers/d/container.conf"), 0);
	assert_int_equal(rmdir("root/containers/d"), 0);
	assert_string_equal(found(true), "b=10.0.3.4 c=10.0.3.3 ");
}

/* An old record is taken from the cache, or the cache would be for nothing. */
static void test_is_used(void **state)
{
	CLEANUP_FREE char *path = NULL, *data = NULL;
	char *address;
	size_t length;

	(void)state;
	let_age();
	assert_string_equal(found(true), "b=10.0.3.4 c=10.0.3.3 ");
	path = cache_path();
	assert_int_equal(file_read(AT_FDCWD, path, 1 << 20, &data, &length), 0);
	address = memmem(data, length, "10.0.3.4", 8);
	assert_non_null(address);
	address[7] = '7';
	assert_int_equal(file_write(AT_FDCWD, path, data, length, 0600, FILE_LAZY), 0);
	assert_string_equal(found(true), "b=10.0.3.7 c=10.0.3.3 ");
	/* Any change of the record counts more. */
	assert_int_equal(chmod("root/containers/b/container.conf", 0640), 0);
	assert_string_equal(found(true), "b=10.0.3.4 c=10.0.3.3 ");
}

/* In place, of the same length, and again within the same tick. */
static void test_changes_by_hand(void **state)
{
	int fd;

	(void)state;
	put_record("b", "10.0.3.4");
	fd = open("root/containers/b/container.conf", O_RDWR);
	for (char digit = '2'; digit < '9'; digit++) {
		CLEANUP_FREE char *text = NULL;
		char expected[64];
		size_t length;

		assert_int_equal(file_read(AT_FDCWD, "root/containers/b/container.conf", 4096, &text, &length), 0);
		strstr(text, "10.0.3.")[7] = digit;
		assert_int_equal(pwrite(fd, text, length, 0), length);
		snprintf(expected, sizeof expected, "b=10.0.3.%c c=10.0.3.3 ", digit);
		assert_string_equal(found(true), expected);
	}
	close(fd);
}

static void test_spoilt_cache(void **state)
{
	CLEANUP_FREE char *path = cache_path(), *data = NULL;
	size_t length;

	(void)state;
	put_record("b", "10.0.3.4");
	let_age();
	assert_string_equal(found(true), "b=10.0.3.4 c=10.0.3.3 ");
	assert_int_equal(file_read(AT_FDCWD, path, 1 << 20, &data, &length), 0);
	for (size_t cut = 0; cut < length; cut += 7) {
		assert_int_equal(file_write(AT_FDCWD, path, data, cut, 0600, FILE_LAZY), 0);
		assert_string_equal(found(true), "b=10.0.3.4 c=10.0.3.3 ");
	}
	data[0] = 'L';
	assert_int_equal(file_write(AT_FDCWD, path, data, length, 0600, FILE_LAZY), 0);
	assert_string_equal(found(true), "b=10.0.3.4 c=10.0.3.3 ");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_string_equal(found(true), "b=10.0.3.4 c=10.0.3.3 ");
	assert_int_equal(rmdir(path), 0);
}

/* What a container has that cannot be read is not known: neither with a cache nor without. Some can do without it. */
static void test_broken_record(void **state)
{
	struct record_identity *identities = NULL;
	size_t count;

	(void)state;
	put_file("root/containers/c/container.conf", "ipv4 = nonsense\n");
	assert_int_equal(record_list_identities(ctx, true, &identities, &count), -LB_ERR_BAD_CONFIG);
	assert_string_equal(found(false), "b=10.0.3.4 ");
	assert_int_equal(unlink("root/containers/c/container.conf"), 0);
	assert_int_equal(record_list_identities(ctx, true, &identities, &count), -LB_ERR_NO_CONTAINER);
	assert_null(identities);
	assert_string_equal(found(false), "b=10.0.3.4 ");
}

static void test_one_network(void **state)
{
	static const struct record_identity all[] = {
		{ .name = "a", .identity.network = "lxcbr0" },
		{ .name = "b", .identity.network = "other" },
		{ .name = "c", .identity.network = "" },
	};
	struct record_identity own[3];

	(void)state;
	assert_string_equal(ctx->config.bridge, "lxcbr0");
	assert_int_equal(record_identities_on(ctx, "lxcbr0", all, 3, own), 2);
	assert_string_equal(own[0].name, "a");
	assert_string_equal(own[1].name, "c");
	assert_int_equal(record_identities_on(ctx, "other", all, 3, own), 1);
	assert_string_equal(own[0].name, "b");
	assert_int_equal(record_identities_on(ctx, "third", all, 3, own), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follows_the_records),
		cmocka_unit_test(test_is_used),
		cmocka_unit_test(test_changes_by_hand),
		cmocka_unit_test(test_spoilt_cache),
		cmocka_unit_test(test_broken_record),
		cmocka_unit_test(test_one_network),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
