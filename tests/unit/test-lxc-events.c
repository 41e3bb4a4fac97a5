/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "../../liblayerbox/adapters/lxc-events.h"

#define FIFO RUNSTATEDIR "/lxc/x/containers/monitor-fifo"
#define LXCPATH "/x/containers"

struct message {
	int type;
	char name[256];
	int value;
};

/* RUNSTATEDIR is a file system in memory, for each test. */
static int setup_run(void **state)
{
	(void)state;
	return geteuid() == 0 ? mount("tmpfs", RUNSTATEDIR, "tmpfs", 0, "") : 0;
}

static int teardown_run(void **state)
{
	(void)state;
	return geteuid() == 0 ? umount2(RUNSTATEDIR, MNT_DETACH) : 0;
}

static void put(int fd, int type, const char *name, int value)
{
	struct message message = { .type = type, .value = value };

	snprintf(message.name, sizeof message.name, "%s", name);
	assert_int_equal(write(fd, &message, sizeof message), sizeof message);
}

static void test_fifo(void **state)
{
	struct lxc_events events;
	struct lxc_event event;
	int fd;

	(void)state;
	need_root();
	assert_int_equal(lxc_events_open(LXCPATH, &events), 0);
	assert_int_equal(events.way, LXC_EVENTS_FIFO);
	assert_int_equal(lxc_events_next(&events, &event), 0);
	fd = open(FIFO, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	put(fd, 0, "a", 2);
	put(fd, 1, "a", 2); /* a priority of the log */
	put(fd, 2, "b", 0x300);
	put(fd, 0, "b", 0);
	assert_int_equal(lxc_events_next(&events, &event), 1);
	assert_string_equal(event.name, "a");
	assert_false(event.is_exit);
	assert_int_equal(event.state, LB_STATE_RUNNING);
	assert_int_equal(lxc_events_next(&events, &event), 1);
	assert_string_equal(event.name, "b");
	assert_true(event.is_exit);
	assert_int_equal(event.status, 0x300);
	assert_int_equal(lxc_events_next(&events, &event), 1);
	assert_int_equal(event.state, LB_STATE_STOPPED);
	close(fd);
	/* It does not end with the last who writes. */
	assert_int_equal(lxc_events_next(&events, &event), 0);
	assert_false(lxc_events_is_gone(&events));
	assert_int_equal(unlink(FIFO), 0);
	assert_true(lxc_events_is_gone(&events));
	lxc_events_close(&events);
	assert_false(lxc_events_is_gone(&events));
	assert_int_equal(lxc_events_open(LXCPATH, &events), 0);
	lxc_events_close(&events);
}

static void test_what_is_no_record(void **state)
{
	static const struct message bad[] = { { .type = 3, .name = "a" },
					      { .type = -1, .name = "a" },
					      { .type = 0, .name = "a", .value = 8 },
					      { .type = 0, .name = "a", .value = -1 },
					      { .type = 0, .name = "" },
					      { .type = 0, .name = "../a" } };
	struct message endless = { 0 };
	struct lxc_events events;
	struct lxc_event event;
	int fd;

	(void)state;
	need_root();
	memset(endless.name, 'a', sizeof endless.name);
	assert_int_equal(lxc_events_open(LXCPATH, &events), 0);
	fd = open(FIFO, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(write(fd, &bad[i], sizeof bad[i]), sizeof bad[i]);
		assert_int_equal(lxc_events_next(&events, &event), -EBADMSG);
	}
	assert_int_equal(write(fd, &endless, sizeof endless), sizeof endless);
	assert_int_equal(lxc_events_next(&events, &event), -EBADMSG);
	/* Half a record, and a whole one that nobody can find in it. */
	assert_int_equal(write(fd, "xxx", 3), 3);
	assert_int_equal(lxc_events_next(&events, &event), 0);
	put(fd, 0, "a", 2);
	assert_int_equal(lxc_events_next(&events, &event), -EBADMSG);
	put(fd, 0, "a", 2);
	assert_int_equal(lxc_events_next(&events, &event), 1);
	close(fd);
	lxc_events_close(&events);
}

static void test_a_fifo_of_others(void **state)
{
	struct lxc_events events;

	(void)state;
	need_root();
	assert_int_equal(tree_make_directories(AT_FDCWD, RUNSTATEDIR "/lxc" LXCPATH, 0755), 0);
	put_file(FIFO, "");
	assert_int_equal(lxc_events_open(LXCPATH, &events), -EPERM);
	assert_int_equal(events.fd, -1);
	assert_int_equal(unlink(FIFO), 0);
	assert_int_equal(symlink("/dev/null", FIFO), 0);
	assert_int_equal(lxc_events_open(LXCPATH, &events), -ELOOP);
	assert_int_equal(unlink(FIFO), 0);
	assert_int_equal(mkfifo(FIFO, 0600), 0);
	assert_int_equal(chown(FIFO, 1000, 0), 0);
	assert_int_equal(lxc_events_open(LXCPATH, &events), -EPERM);
	assert_int_equal(chown(FIFO, 0, 0), 0);
	assert_int_equal(chmod(FIFO, 0622), 0);
	assert_int_equal(lxc_events_open(LXCPATH, &events), -EPERM);
}

/* Somebody who holds the FIFO as lxc-monitord does, and tells of one start where @listens. */
static pid_t start_monitord(bool listens, int *ret_end)
{
	CLEANUP_FREE char *hashed = text_format("lxc/%s/monitor-sock", LXCPATH);
	CLEANUP_FREE char *name = text_format("lxc/%016llx/%s", (unsigned long long)text_hash(hashed), LXCPATH);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int ready[2], end_of_it[2], fd, socket_fd, peer;
	char byte;
	pid_t pid;

	memcpy(address.sun_path + 1, name, strlen(name));
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(end_of_it, O_CLOEXEC), 0);
	assert_true(tree_make_directories(AT_FDCWD, RUNSTATEDIR "/lxc" LXCPATH, 0755) >= 0);
	assert_int_equal(mkfifo(FIFO, 0600), 0);
	pid = fork_mortal();
	if (pid == 0) {
		close(end_of_it[1]);
		fd = open(FIFO, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fcntl(fd, F_SETLK, &whole) < 0)
			_exit(1);
		if (listens && (bind(socket_fd, (struct sockaddr *)&address,
				     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))) < 0 ||
				listen(socket_fd, 5) < 0))
			_exit(1);
		(void)!write(ready[1], "x", 1);
		if (listens) {
			peer = accept(socket_fd, NULL, NULL);
			put(peer, 0, "a", 2);
		}
		(void)!read(end_of_it[0], &byte, 1);
		_exit(0);
	}
	close(ready[1]);
	close(end_of_it[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	*ret_end = end_of_it[1];
	return pid;
}

static void test_monitord(void **state)
{
	struct lxc_events events;
	struct lxc_event event;
	int end_fd, r;
	pid_t pid;

	(void)state;
	need_root();
	pid = start_monitord(true, &end_fd);
	assert_int_equal(lxc_events_open(LXCPATH, &events), 0);
	assert_int_equal(events.way, LXC_EVENTS_MONITORD);
	while ((r = lxc_events_next(&events, &event)) == 0)
		usleep(1000);
	assert_int_equal(r, 1);
	assert_string_equal(event.name, "a");
	assert_int_equal(lxc_events_next(&events, &event), 0);
	close(end_fd);
	assert_int_equal(end_of(pid), 0);
	assert_int_equal(lxc_events_next(&events, &event), -EPIPE);
	lxc_events_close(&events);
	/* Its place is free now. */
	assert_int_equal(lxc_events_open(LXCPATH, &events), 0);
	assert_int_equal(events.way, LXC_EVENTS_FIFO);
	lxc_events_close(&events);
}

static void test_somebody_who_lets_nobody_in(void **state)
{
	struct lxc_events events;
	int end_fd;
	pid_t pid;

	(void)state;
	need_root();
	pid = start_monitord(false, &end_fd);
	assert_int_equal(lxc_events_open(LXCPATH, &events), -EBUSY);
	assert_int_equal(events.way, LXC_EVENTS_NONE);
	assert_int_equal(events.fd, -1);
	close(end_fd);
	assert_int_equal(end_of(pid), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fifo, setup_run, teardown_run),
		cmocka_unit_test_setup_teardown(test_what_is_no_record, setup_run, teardown_run),
		cmocka_unit_test_setup_teardown(test_a_fifo_of_others, setup_run, teardown_run),
		cmocka_unit_test_setup_teardown(test_monitord, setup_run, teardown_run),
		cmocka_unit_test_setup_teardown(test_somebody_who_lets_nobody_in, setup_run, teardown_run),
	};

	return cmocka_run_group_tests_name("lxc-events", tests, scratch_enter, scratch_leave);
}
