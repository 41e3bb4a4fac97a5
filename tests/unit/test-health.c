/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

#include "../../liblayerbox/health/connection.h"
#include "../../liblayerbox/health/target.h"

/* ---- what a text means: "" of a rest where there is none, NULL where it is refused ---- */

static const struct {
	const char *(*parse)(const char *text, struct health_target *ret_target);
	const char *text;
	bool inside;
	unsigned port;
	const char *rest;
} targets[] = {
	{ health_command_parse, "/bin/true --quietly", true, 0, "/bin/true --quietly" },
	{ health_command_parse, "test -e /x", true, 0, "test -e /x" },
	{ health_command_parse, "inside:/bin/true", true, 0, "/bin/true" },
	{ health_command_parse, "host:/bin/true x", false, 0, "/bin/true x" },
	{ health_command_parse, "host:true", false, 0, NULL },
	{ health_command_parse, "host:", false, 0, NULL },
	{ health_command_parse, "host: /bin/true", false, 0, NULL },
	{ health_command_parse, "inside:", true, 0, NULL },
	{ health_command_parse, " true", true, 0, NULL },
	{ health_command_parse, "hosts:x", true, 0, "hosts:x" },
	{ health_tcp_parse, "1883", false, 1883, "" },
	{ health_tcp_parse, "inside:1883", true, 1883, "" },
	{ health_tcp_parse, "host:1883", false, 1883, "" },
	{ health_tcp_parse, "1", false, 1, "" },
	{ health_tcp_parse, "65535", false, 65535, "" },
	{ health_tcp_parse, "65536", false, 0, NULL },
	{ health_tcp_parse, "0", false, 0, NULL },
	{ health_tcp_parse, "", false, 0, NULL },
	{ health_tcp_parse, "-1", false, 0, NULL },
	{ health_tcp_parse, "+1", false, 0, NULL },
	{ health_tcp_parse, "123456", false, 0, NULL },
	{ health_tcp_parse, "1883/", false, 0, NULL },
	{ health_tcp_parse, "1883 ", false, 0, NULL },
	{ health_tcp_parse, "inside:host:1883", false, 0, NULL },
	{ health_tcp_parse, "127.0.0.1:1883", false, 0, NULL },
	{ health_http_parse, "3000", false, 3000, "" },
	{ health_http_parse, "3000/", false, 3000, "/" },
	{ health_http_parse, "3000/api/health?x=1&y=%20", false, 3000, "/api/health?x=1&y=%20" },
	{ health_http_parse, "inside:8086/ping", true, 8086, "/ping" },
	{ health_http_parse, "3000api", false, 0, NULL },
	{ health_http_parse, "/api", false, 0, NULL },
	{ health_http_parse, "http://x/", false, 0, NULL },
	{ health_http_parse, "3000/a b", false, 0, NULL },
	{ health_http_parse, "3000/a\r\nX: y", false, 0, NULL },
	{ health_http_parse, "3000/\177", false, 0, NULL },
	{ health_http_parse, "3000/\303\244", false, 0, NULL },
	{ health_http_parse, "0/", false, 0, NULL },
};

static void test_targets(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
		struct health_target target = { .rest = "untouched" };
		const char *why = targets[i].parse(targets[i].text, &target);

		if (!why != !!targets[i].rest)
			fail_msg("'%s': %s", targets[i].text, why ? why : "was taken");
		if (why) {
			assert_non_null(text_after(why, "must "));
			assert_string_equal(target.rest, "untouched");
			continue;
		}
		assert_int_equal(target.inside, targets[i].inside);
		assert_int_equal(target.port, targets[i].port);
		assert_string_equal(target.rest, targets[i].rest);
	}
}

static void test_http_status(void **state)
{
	static const struct {
		const char *line;
		unsigned status;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\n", 200 },
		{ "HTTP/1.0 404\r\n", 404 },
		{ "HTTP/1.0 302 Found", 302 },
		{ "HTTP/2 204 \r\n", 204 },
		{ "HTTP/1.1 99 x", 0 },
		{ "HTTP/1.1 600 x", 0 },
		{ "HTTP/1.1 2000 x", 0 },
		{ "HTTP/1.1 20", 0 },
		{ "HTTP/1.1", 0 },
		{ "HTTP/1.1 ", 0 },
		{ "HTTP/1.1  200", 0 },
		{ "HTTP/x 200", 0 },
		{ "http/1.1 200 OK", 0 },
		{ "220 smtp ready", 0 },
		{ "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(http_status(cases[i].line), cases[i].status);
}

/* ---- a server on the loopback, which answers the first who comes ---- */

struct server {
	int fd;
	const char *answer;           /* NULL: none, it only listens */
	unsigned pause_ms;            /* between any two bytes of the answer */
	char request[512];
	pthread_t thread;
};

static void *serve(void *userdata)
{
	struct server *server = userdata;
	const struct timespec pause = { .tv_nsec = server->pause_ms * 1000000L };
	int fd = accept(server->fd, NULL, NULL);
	ssize_t n = recv(fd, server->request, sizeof server->request - 1, 0);

	server->request[n > 0 ? n : 0] = '\0';
	for (const char *p = server->answer; *p; p++) {
		if (send(fd, p, 1, MSG_NOSIGNAL) < 0)
			break;
		if (server->pause_ms)
			nanosleep(&pause, NULL);
	}
	close(fd);
	return NULL;
}

static struct health_peer begin(struct server *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;

	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(server->fd, 1), 0);
	assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &length), 0);
	if (server->answer)
		assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
	return (struct health_peer){ .ipv4 = "127.0.0.1", .port = ntohs(address.sin_port), .timeout_s = 1 };
}

static void end(struct server *server)
{
	if (server->answer)
		pthread_join(server->thread, NULL);
	close(server->fd);
}

static void test_connect(void **state)
{
	struct server server = { 0 };
	struct health_peer peer = begin(&server);
	char why[200] = "";

	(void)state;
	assert_int_equal(health_connect(&peer, why, sizeof why), 0);
	assert_string_equal(why, "");
	end(&server);
	assert_int_equal(health_connect(&peer, why, sizeof why), 1);
	assert_contains(why, "Connection refused");
	peer.ipv4 = "";
	assert_true(health_connect(&peer, why, sizeof why) < 0);
}

/* Nobody listens there, and nobody says so: the backlog of one who does not accept is full. */
static void test_connect_times_out(void **state)
{
	struct server server = { 0 };
	struct health_peer peer = begin(&server);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				       .sin_port = htons(peer.port) };
	char why[200] = "";
	int others[4];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		others[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)!connect(others[i], (struct sockaddr *)&address, sizeof address);
	}
	assert_int_equal(health_connect(&peer, why, sizeof why), 1);
	assert_contains(why, "within 1 s: no answer");
	for (size_t i = 0; i < 4; i++)
		close(others[i]);
	end(&server);
}

static void check_get(const char *answer, unsigned pause_ms, int result, const char *part)
{
	struct server server = { .answer = answer, .pause_ms = pause_ms };
	struct health_peer peer = begin(&server);
	char why[200] = "";

	assert_int_equal(health_get(&peer, "/health", why, sizeof why), result);
	end(&server);
	assert_contains(why, part);
	assert_non_null(text_after(server.request, "GET /health HTTP/1.0\r\nHost: 127.0.0.1:"));
	assert_contains(server.request, "\r\n\r\n");
}

static void test_get(void **state)
{
	(void)state;
	check_get("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 0, 0, "");
	check_get("HTTP/1.1 399\r\n\r\n", 0, 0, "");
	check_get("HTTP/1.1 200 OK\r\n", 5, 0, ""); /* in pieces */
	check_get("HTTP/1.1 503 Service Unavailable\r\n\r\n", 0, 1, "GET /health with status 503");
	check_get("HTTP/1.1 101 x\r\n\r\n", 0, 1, "status 101");
	check_get("SSH-2.0-OpenSSH_9.2\r\n", 0, 1, "as HTTP does");
	check_get("", 0, 1, "as HTTP does");
	check_get("HTTP/1.1 200 OK but very slow, more than anybody has the patience to wait for\n", 60, 1, "no answer");
}

/* What never ends its first line is not read for ever. */
static void test_get_is_bounded(void **state)
{
	static char endless[1 << 20];

	(void)state;
	memset(endless, 'x', sizeof endless - 1);
	check_get(endless, 0, 1, "as HTTP does");
}

/* ---- inside ---- */

/* A process in a network of its own; it ends with its standard input. */
static pid_t start_inside(int *ret_end)
{
	int ready[2], end_of_it[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(end_of_it, O_CLOEXEC), 0);
	pid = fork_mortal();
	if (pid == 0) {
		close(end_of_it[1]);
		if (unshare(CLONE_NEWNET) == 0 && write(ready[1], "x", 1) == 1)
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

static void test_inside(void **state)
{
	struct server server = { 0 };
	struct health_peer peer = begin(&server);
	char why[200] = "";
	int end_fd;

	(void)state;
	need_root();
	peer.inside = start_inside(&end_fd);
	assert_int_equal(health_connect(&peer, why, sizeof why), 1); /* the host's has a server, its own is down */
	assert_contains(why, "its loopback");
	close(end_fd);
	assert_int_equal(end_of(peer.inside), 0);
	assert_int_equal(health_connect(&peer, why, sizeof why), -ESRCH);
	end(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_http_status),
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_connect_times_out),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_get_is_bounded),
		cmocka_unit_test(test_inside),
	};

	return cmocka_run_group_tests_name("health", tests, scratch_enter, scratch_leave);
}
