/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "../adapters/netns.h"
#include "../util/clock.h"

enum { ANSWER_MAX = 64 }; /* bytes of the first line that matter: there is no status behind them */

/* 0 when there is something to do, -ETIMEDOUT at @end_ms. */
static int wait_for(int fd, short events, int64_t end_ms)
{
	for (;;) {
		struct pollfd poll_fd = { .fd = fd, .events = events };
		int64_t left = end_ms - clock_ms();
		int r = left > 0 ? poll(&poll_fd, 1, (int)left) : 0;

		if (r > 0)
			return 0;
		if (r == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

/* What may be the container's doing; all else is the host's. */
static bool is_of_peer(int error)
{
	switch (error) {
	case -ECONNREFUSED:
	case -ECONNRESET:
	case -ECONNABORTED:
	case -EPIPE:
	case -ETIMEDOUT:
	case -EHOSTUNREACH:
	case -EHOSTDOWN:
	case -ENETUNREACH:
	case -ENETDOWN:
		return true;
	}
	return false;
}

/* 1, or the error itself where it is the host's. */
static int cannot(const struct health_peer *peer, int error, const char *what, char *ret_why, size_t size)
{
	const char *place = peer->inside ? "its loopback" : peer->ipv4;

	if (!is_of_peer(error))
		return error;
	if (error == -ETIMEDOUT)
		snprintf(ret_why, size, "%s port %u of %s within %u s: no answer", what, peer->port, place,
			 peer->timeout_s);
	else
		snprintf(ret_why, size, "%s port %u of %s: %s", what, peer->port, place, strerrordesc_np(-error));
	return 1;
}

static int open_socket(const struct health_peer *peer)
{
	const int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
	CLEANUP_FD int process_fd = peer->inside ? netns_open_process(peer->inside) : -1;
	int fd;

	if (peer->inside)
		return process_fd < 0 ? process_fd : netns_socket(process_fd, AF_INET, type, 0);
	fd = socket(AF_INET, type, 0);
	return fd < 0 ? -errno : fd;
}

/* The connected socket, or a negative errno. */
static int open_connection(const struct health_peer *peer, int64_t end_ms)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(peer->port) };
	CLEANUP_FD int fd = -1;
	socklen_t length = sizeof(int);
	int error = 0, r;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!peer->inside && inet_pton(AF_INET, peer->ipv4, &address.sin_addr) != 1)
		return -EDESTADDRREQ;
	fd = open_socket(peer);
	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
		return take_fd(&fd);
	if (errno != EINPROGRESS)
		return -errno;
	r = wait_for(fd, POLLOUT, end_ms);
	if (r < 0)
		return r;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		return -errno;
	return error ? -error : take_fd(&fd);
}

int health_connect(const struct health_peer *peer, char *ret_why, size_t size)
{
	CLEANUP_FD int fd = open_connection(peer, clock_ms() + (int64_t)peer->timeout_s * 1000);

	return fd < 0 ? cannot(peer, fd, "cannot connect to", ret_why, size) : 0;
}

unsigned http_status(const char *line)
{
	const char *rest = text_after(line, "HTTP/");
	uint64_t status;
	char digits[4];

	if (!rest)
		return 0;
	rest += strspn(rest, "0123456789.");
	if (*rest++ != ' ')
		return 0;
	snprintf(digits, sizeof digits, "%.*s", (int)strspn(rest, "0123456789"), rest);
	if (strspn(rest, "0123456789") != 3 || !text_to_number(digits, 100, 599, &status))
		return 0;
	return (unsigned)status;
}

/* As HTTP/1.0 asks; a server that knows no names of its own takes any Host. */
static int send_request(int fd, const struct health_peer *peer, const char *path, int64_t end_ms)
{
	CLEANUP_FREE char *request = text_format("GET %s HTTP/1.0\r\nHost: %s:%u\r\nUser-Agent: layerbox\r\n"
						 "Accept: */*\r\nConnection: close\r\n\r\n",
						 *path ? path : "/", peer->inside ? "localhost" : peer->ipv4,
						 peer->port);
	int r = request ? wait_for(fd, POLLOUT, end_ms) : -ENOMEM;

	/* Nothing was sent before: there is room for all of it. */
	if (r == 0 && send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		r = -errno;
	return r;
}

/* The beginning of the answer, up to its first line's end. */
static int read_line(int fd, char ret_line[ANSWER_MAX + 1], int64_t end_ms)
{
	size_t length = 0;

	for (;;) {
		int r = wait_for(fd, POLLIN, end_ms);
		ssize_t n = r < 0 ? 0 : recv(fd, ret_line + length, ANSWER_MAX - length, 0);

		if (r < 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
			return r < 0 ? r : -errno;
		length += n > 0 ? (size_t)n : 0;
		ret_line[length] = '\0';
		if (n == 0 || length == ANSWER_MAX || strchr(ret_line, '\n'))
			return 0;
	}
}

int health_get(const struct health_peer *peer, const char *path, char *ret_why, size_t size)
{
	int64_t end_ms = clock_ms() + (int64_t)peer->timeout_s * 1000;
	CLEANUP_FD int fd = open_connection(peer, end_ms);
	char line[ANSWER_MAX + 1] = "";
	unsigned status;
	int r = fd < 0 ? fd : send_request(fd, peer, path, end_ms);

	if (fd < 0)
		return cannot(peer, fd, "cannot connect to", ret_why, size);
	if (r == 0)
		r = read_line(fd, line, end_ms);
	if (r < 0)
		return cannot(peer, r, "cannot ask", ret_why, size);
	status = http_status(line);
	if (status >= 200 && status < 400)
		return 0;
	if (status)
		snprintf(ret_why, size, "port %u answers GET %s with status %u", peer->port, *path ? path : "/", status);
	else
		snprintf(ret_why, size, "port %u does not answer GET %s as HTTP does", peer->port, *path ? path : "/");
	return 1;
}
