/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <pthread.h>
#include <sys/file.h>

#include "../../liblayerbox/core/lock.h"
#include "../../liblayerbox/core/store.h"

static char root[256];

static struct lb_context *new_context(void)
{
	const struct lb_context_options options = { .size = sizeof options, .root = root, .config_file = "/dev/null" };
	struct lb_context *ctx = NULL;

	assert_int_equal(lb_context_new(&options, &ctx), 0);
	return ctx;
}

static bool is_locked(const char *path)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return flock(fd, LOCK_EX | LOCK_NB) < 0;
}

/* Starts a process that takes a lock, says so, and dies when it is told to. */
static pid_t start_holder(const char *container)
{
	int fds[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork_mortal();
	if (pid == 0) {
		struct lb_context *ctx = new_context();
		int fd = container ? lock_container(ctx, container) : lock_root(ctx);

		if (fd < 0 || write(fds[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	close(fds[0]);
	return pid;
}

/* A lock must end with its holder, however that ends, and leave nothing. */
static void test_processes_exclude_one_another(void **state)
{
	static const char *const what[] = { NULL, "tiger" };
	static const char *const paths[] = { "root", "root/containers/tiger" };
	struct lb_context *ctx = new_context();

	(void)state;
	for (int i = 0; i < 2; i++) {
		pid_t holder = start_holder(what[i]);
		int fd;

		assert_true(is_locked(paths[i]));
		assert_false(is_locked(paths[1 - i]));
		kill(holder, SIGKILL);
		assert_int_equal(end_of(holder), 128 + SIGKILL);
		assert_false(is_locked(paths[i]));
		fd = i ? lock_container(ctx, "tiger") : lock_root(ctx);
		assert_true(fd >= 0);
		assert_true(is_locked(paths[i]));
		close(fd);
		assert_false(is_locked(paths[i]));
	}
	lb_context_free(ctx);
}

static volatile unsigned counter;

static void *count(void *userdata)
{
	struct lb_context *ctx = new_context();

	for (int i = 0; i < 50; i++) {
		int fd = userdata ? lock_container(ctx, userdata) : lock_root(ctx);
		unsigned seen = counter;

		if (fd < 0)
			break;
		sched_yield();
		counter = seen + 1;
		close(fd);
	}
	lb_context_free(ctx);
	return NULL;
}

static void check_threads(void *container)
{
	pthread_t threads[4];

	counter = 0;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count, container), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(counter, 200);
}

static void test_threads_exclude_one_another(void **state)
{
	static char name[] = "tiger";

	(void)state;
	check_threads(NULL);
	check_threads(name);
}

static void test_no_container(void **state)
{
	struct lb_context *ctx = new_context();

	(void)state;
	assert_int_equal(lock_container(ctx, "tige"), -LB_ERR_NO_CONTAINER);
	assert_contains(lb_context_error(ctx), "there is no container 'tige'");
	assert_int_equal(symlink("tiger", "root/containers/link"), 0);
	assert_true(lock_container(ctx, "link") < 0);
	lb_context_free(ctx);
}

/* ---- somebody waits for a lock while its holder gives the directory away ---- */

struct waiter {
	struct lb_context *ctx;
	int result;
};

static void *wait_for_lock(void *userdata)
{
	struct waiter *waiter = userdata;

	waiter->result = lock_container(waiter->ctx, "moving");
	return NULL;
}

static void start_waiter(struct waiter *waiter, pthread_t *ret_thread)
{
	waiter->ctx = new_context();
	waiter->result = 1;
	assert_int_equal(pthread_create(ret_thread, NULL, wait_for_lock, waiter), 0);
	usleep(100000);
}

static void test_container_renamed_away_meanwhile(void **state)
{
	struct lb_context *ctx = new_context();
	struct waiter waiter;
	pthread_t thread;
	int fd;

	(void)state;
	assert_int_equal(mkdir("root/containers/moving", 0700), 0);
	fd = lock_container(ctx, "moving");
	start_waiter(&waiter, &thread);
	assert_int_equal(rename("root/containers/moving", "root/containers/.deleted-moving.0"), 0);
	close(fd);
	pthread_join(thread, NULL);
	assert_int_equal(waiter.result, -LB_ERR_NO_CONTAINER);
	assert_false(is_locked("root/containers/.deleted-moving.0"));
	lb_context_free(waiter.ctx);
	lb_context_free(ctx);
}

static void test_container_replaced_meanwhile(void **state)
{
	struct lb_context *ctx = new_context();
	struct waiter waiter;
	struct stat locked, present;
	pthread_t thread;
	int fd;

	(void)state;
	assert_int_equal(mkdir("root/containers/moving", 0700), 0);
	fd = lock_container(ctx, "moving");
	start_waiter(&waiter, &thread);
	assert_int_equal(rename("root/containers/moving", "root/containers/other"), 0);
	assert_int_equal(mkdir("root/containers/moving", 0700), 0);
	close(fd);
	pthread_join(thread, NULL);
	assert_true(waiter.result >= 0);
	assert_int_equal(fstat(waiter.result, &locked), 0);
	assert_int_equal(stat("root/containers/moving", &present), 0);
	assert_int_equal(locked.st_ino, present.st_ino);
	assert_false(is_locked("root/containers/other"));
	close(waiter.result);
	lb_context_free(waiter.ctx);
	lb_context_free(ctx);
}

static void test_root_that_is_not_prepared(void **state)
{
	struct lb_context *ctx = new_context();

	(void)state;
	assert_int_equal(rename("root", "away"), 0);
	assert_int_equal(lock_root(ctx), -ENOENT);
	assert_contains(lb_context_error(ctx), "layerbox init");
	assert_int_equal(rename("away", "root"), 0);
	lb_context_free(ctx);
}

static int enter(void **state)
{
	if (scratch_enter(state) < 0)
		return -1;
	snprintf(root, sizeof root, "%s/root", (const char *)*state);
	if (tree_make_directories(AT_FDCWD, "root/os-bases", 0755) < 0)
		return -1;
	return tree_make_directories(AT_FDCWD, "root/containers/tiger", 0755) < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_processes_exclude_one_another),
		cmocka_unit_test(test_threads_exclude_one_another),
		cmocka_unit_test(test_no_container),
		cmocka_unit_test(test_container_renamed_away_meanwhile),
		cmocka_unit_test(test_container_replaced_meanwhile),
		cmocka_unit_test(test_root_that_is_not_prepared),
	};

	return cmocka_run_group_tests_name("lock", tests, enter, scratch_leave);
}
