/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far a move is, which moves ended here, and what layers that came are called: files that decide where a container runs. */
#include "unit.h"

#include <errno.h>

#include "../../liblayerbox/core/store.h"
#include "../../liblayerbox/stream/arrived.h"
#include "../../liblayerbox/stream/id-map.h"
#include "../../liblayerbox/stream/moving.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct lb_context *ctx;

static int setup(void **state)
{
	char root[4096];
	const struct lb_context_options options = { .size = sizeof options, .root = root, .config_file = "/dev/null" };

	if (scratch_enter(state) < 0 || !getcwd(root, sizeof root) || mkdir("containers", 0700) < 0 || mkdir("os-bases", 0700) < 0)
		return -1;
	return lb_context_new(&options, &ctx);
}

static int teardown(void **state)
{
	lb_context_free(ctx);
	return scratch_leave(state);
}

static int open_container(void)
{
	mkdir("containers/a", 0700);
	return open("containers/a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void test_state(void **state)
{
	struct moving moving = { .stage = MOVING_DECIDED, .token = A, .target = "ssh://u@h:22", .ran = true }, again;
	CLEANUP_FD int fd = open_container();

	(void)state;
	assert_int_equal(moving_read(ctx, fd, "a", &again), 0);
	assert_int_equal(again.stage, MOVING_NONE);
	assert_int_equal(moving_write(ctx, fd, "a", &moving), 0);
	assert_int_equal(moving_read(ctx, fd, "a", &again), 0);
	assert_int_equal(again.stage, MOVING_DECIDED);
	assert_string_equal(again.token, A);
	assert_string_equal(again.target, "ssh://u@h:22");
	assert_true(again.ran);
	for (enum moving_stage stage = MOVING_SENDING; stage <= MOVING_REFUSED; stage++) {
		moving.stage = stage;
		assert_int_equal(moving_write(ctx, fd, "a", &moving), 0);
		assert_int_equal(moving_read(ctx, fd, "a", &again), 0);
		assert_int_equal(again.stage, stage);
	}
	assert_int_equal(moving_remove(ctx, fd, "a"), 0);
	assert_int_equal(moving_read(ctx, fd, "a", &again), 0);
	assert_int_equal(again.stage, MOVING_NONE);
	assert_false(exists("containers/a/move"));
}

/* One that cannot be read is no leave to start the container. */
static void test_bad_state(void **state)
{
	static const char *const bad[] = { "", "stage = gone\n", "token = " A "\n", "stage = none\ntoken = " A "\n",
					   "stage = arrived\ntoken = x\n", "stage = arrived\ntoken = " A "\nx = y\n", "arrived\n" };
	CLEANUP_FD int fd = open_container();

	(void)state;
	mkdir("containers/a/move", 0700);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct moving moving;

		put_file("containers/a/move/state", bad[i]);
		assert_int_equal(moving_read(ctx, fd, "a", &moving), -LB_ERR_BAD_CONFIG);
		assert_int_equal(moving_before_start(ctx, fd, "a", true), -LB_ERR_BAD_CONFIG);
		assert_true(exists("containers/a/move/state"));
	}
	assert_int_equal(moving_remove(ctx, fd, "a"), 0);
}

static void test_before_start(void **state)
{
	static const bool allowed[] = {
		[MOVING_NONE] = true, [MOVING_SENDING] = true, [MOVING_STARTING] = true, [MOVING_ARRIVED] = true, [MOVING_REFUSED] = false,
	};
	CLEANUP_FD int fd = open_container();

	(void)state;
	for (enum moving_stage stage = MOVING_SENDING; stage <= MOVING_REFUSED; stage++) {
		const struct moving moving = { .stage = stage, .token = A };

		assert_int_equal(moving_write(ctx, fd, "a", &moving), 0);
		assert_int_equal(moving_before_start(ctx, fd, "a", false), allowed[stage] ? 0 : -LB_ERR_BUSY);
		assert_int_equal(moving_before_start(ctx, fd, "a", true), allowed[stage] ? 0 : -LB_ERR_BUSY);
		assert_int_equal(exists("containers/a/move"), stage != MOVING_SENDING); /* forgotten */
	}
	assert_int_equal(moving_remove(ctx, fd, "a"), 0);
}

/* Somebody is at it: neither started nor forgotten. */
static void test_held(void **state)
{
	const struct moving moving = { .stage = MOVING_SENDING, .token = A };
	CLEANUP_FD int fd = open_container();
	CLEANUP_FD int hold = -1;

	(void)state;
	assert_int_equal(moving_write(ctx, fd, "a", &moving), 0);
	hold = moving_hold(fd);
	assert_true(hold >= 0);
	assert_int_equal(moving_hold(fd), -EWOULDBLOCK);
	assert_int_equal(moving_before_start(ctx, fd, "a", true), -LB_ERR_BUSY);
	assert_true(exists("containers/a/move/state"));
	close_fd(take_fd(&hold));
	assert_int_equal(moving_before_start(ctx, fd, "a", true), 0);
	assert_false(exists("containers/a/move"));
}

/* What every stage makes of every event; 0: refused, and nothing changes. */
static void test_events(void **state)
{
	static const struct {
		enum moving_stage stage;
		enum moving_stage next[MOVING_GIVE_WAY + 1];
	} rows[] = {
		{ MOVING_SENDING, { [MOVING_DECIDE] = MOVING_DECIDED, [MOVING_TAKE_BACK] = MOVING_SENDING } },
		{ MOVING_DECIDED, { [MOVING_LEAVE] = MOVING_GONE, [MOVING_TAKE_BACK] = MOVING_SENDING } },
		{ MOVING_GONE, { [MOVING_LEAVE] = MOVING_GONE } },
		{ MOVING_INCOMING,
		  { [MOVING_COMMIT] = MOVING_STARTING, [MOVING_ABORT] = MOVING_REFUSED, [MOVING_GIVE_WAY] = MOVING_REFUSED } },
		{ MOVING_STARTING,
		  { [MOVING_COMMIT] = MOVING_STARTING, [MOVING_STARTED] = MOVING_ARRIVED, [MOVING_FAILED] = MOVING_INCOMING,
		    [MOVING_ABORT] = MOVING_STARTING } },
		{ MOVING_ARRIVED,
		  { [MOVING_BEGIN] = MOVING_SENDING, [MOVING_COMMIT] = MOVING_ARRIVED, [MOVING_STARTED] = MOVING_ARRIVED,
		    [MOVING_ABORT] = MOVING_ARRIVED } },
		{ MOVING_REFUSED, { [MOVING_ABORT] = MOVING_REFUSED, [MOVING_GIVE_WAY] = MOVING_REFUSED } },
	};
	CLEANUP_FD int fd = open_container();

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (int event = MOVING_BEGIN; event <= MOVING_GIVE_WAY; event++) {
			struct moving moving = { .stage = rows[i].stage, .token = A }, now;
			enum moving_stage next = rows[i].next[event];

			unlink("arrived");
			assert_int_equal(moving_write(ctx, fd, "a", &moving), 0);
			assert_int_equal(moving_advance(ctx, fd, "a", (enum moving_event)event, &moving), next ? 0 : -LB_ERR_BUSY);
			assert_int_equal(moving_read(ctx, fd, "a", &now), 0);
			assert_int_equal(now.stage, next ? next : rows[i].stage);
			assert_int_equal(arrived_has(ctx, A), next == MOVING_ARRIVED && rows[i].stage == MOVING_STARTING);
		}
	unlink("arrived");
}

/* Another move of the same name does not touch it; one that has begun takes its own words along. */
static void test_event_of_another(void **state)
{
	struct moving moving = { .stage = MOVING_STARTING, .token = A };
	struct moving other = { .token = B, .target = "ssh://h", .ran = true };
	CLEANUP_FD int fd = open_container();

	(void)state;
	assert_int_equal(moving_write(ctx, fd, "a", &moving), 0);
	assert_int_equal(moving_advance(ctx, fd, "a", MOVING_ABORT, &other), -LB_ERR_NO_CONTAINER);
	assert_int_equal(moving_advance(ctx, fd, "a", MOVING_STARTED, &other), -LB_ERR_NO_CONTAINER);
	assert_int_equal(moving_advance(ctx, fd, "a", MOVING_BEGIN, &other), -LB_ERR_BUSY);
	assert_int_equal(moving_started(ctx, fd, "a"), 0);
	assert_int_equal(arrived_has(ctx, A), 1);
	assert_int_equal(moving_started(ctx, fd, "a"), 0);
	assert_int_equal(moving_advance(ctx, fd, "a", MOVING_BEGIN, &other), 0);
	text_copy(other.forget, sizeof other.forget, "x,y");
	assert_int_equal(moving_advance(ctx, fd, "a", MOVING_DECIDE, &other), 0);
	assert_int_equal(moving_read(ctx, fd, "a", &moving), 0);
	assert_int_equal(moving.stage, MOVING_DECIDED);
	assert_string_equal(moving.target, "ssh://h");
	assert_string_equal(moving.forget, "x,y");
	assert_true(moving.ran);
	assert_int_equal(moving_remove(ctx, fd, "a"), 0);
	assert_int_equal(moving_advance(ctx, fd, "a", MOVING_LEAVE, &other), -LB_ERR_NO_CONTAINER);
	unlink("arrived");
}

static void test_before_change(void **state)
{
	CLEANUP_FD int fd = open_container();
	CLEANUP_FD int hold = -1;

	(void)state;
	assert_int_equal(moving_before_change(ctx, fd, "a"), 0);
	for (enum moving_stage stage = MOVING_SENDING; stage <= MOVING_REFUSED; stage++) {
		const struct moving moving = { .stage = stage, .token = A };
		bool allowed = stage == MOVING_SENDING || stage == MOVING_ARRIVED;

		assert_int_equal(moving_write(ctx, fd, "a", &moving), 0);
		assert_int_equal(moving_before_change(ctx, fd, "a"), allowed ? 0 : -LB_ERR_BUSY);
		hold = moving_hold(fd);
		assert_int_equal(moving_before_change(ctx, fd, "a"), stage == MOVING_ARRIVED ? 0 : -LB_ERR_BUSY);
		ctx->moves = "b";
		assert_int_equal(moving_before_change(ctx, fd, "a"), stage == MOVING_ARRIVED ? 0 : -LB_ERR_BUSY);
		ctx->moves = "a";
		assert_int_equal(moving_before_change(ctx, fd, "a"), 0);
		ctx->moves = NULL;
		close_fd(take_fd(&hold));
	}
	assert_int_equal(moving_remove(ctx, fd, "a"), 0);
}

static void test_arrived(void **state)
{
	(void)state;
	assert_int_equal(arrived_has(ctx, A), 0);
	assert_int_equal(arrived_add(ctx, A, "a"), 0);
	assert_int_equal(arrived_has(ctx, A), 1);
	assert_int_equal(arrived_has(ctx, B), 0);
	/* A power cut has left half a line. */
	put_file("arrived", "\n" A " a\n\nbbbb");
	assert_int_equal(arrived_add(ctx, B, "b"), 0);
	assert_int_equal(arrived_has(ctx, A), 1);
	assert_int_equal(arrived_has(ctx, B), 1);
}

static void test_id_map(void **state)
{
	static struct id_map map, again;
	CLEANUP_FREE char *text = NULL;
	CLEANUP_FD int fd = open_container();
	char id[LAYER_ID_SIZE];

	(void)state;
	assert_int_equal(id_map_read(ctx, fd, "a", &map), 0);
	assert_string_equal(id_map_find(&map, A), A);
	for (unsigned i = 0; i < ID_MAP_MAX + 10; i++) {
		snprintf(id, sizeof id, "%032x", i);
		id_map_add(&map, id, B);
	}
	id_map_add(&map, A, id);
	assert_int_equal(map.count, ID_MAP_MAX);
	assert_string_equal(id_map_find(&map, A), id);
	assert_string_equal(id_map_find(&map, id), B);
	text = id_map_to_text(&map);
	put_file("containers/a/received", text);
	assert_int_equal(id_map_read(ctx, fd, "a", &again), 0);
	assert_int_equal(again.count, map.count);
	assert_memory_equal(again.pairs, map.pairs, sizeof map.pairs);
	put_file("containers/a/received", A " = ../../x\n");
	assert_int_equal(id_map_read(ctx, fd, "a", &again), -LB_ERR_BAD_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_bad_state),
		cmocka_unit_test(test_before_start),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_event_of_another),
		cmocka_unit_test(test_before_change),
		cmocka_unit_test(test_arrived),
		cmocka_unit_test(test_id_map),
	};

	return cmocka_run_group_tests_name("moving", tests, setup, teardown);
}
