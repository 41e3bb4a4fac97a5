/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists that change while they are told; the kernel is a thread with a netlink socket of its own. */
#include "unit.h"

#include <linux/netlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <pthread.h>
#include <sys/socket.h>

#include "../../liblayerbox/adapters/netlink.h"

enum { LINE = NLMSG_MIN_TYPE, PARTS = 3 };

struct kernel {
	int fd;
	int interrupted;              /* so many answers are, from the first on */
	int asked;
};

static void send_part(struct kernel *kernel, const struct sockaddr_nl *to, const struct nlmsghdr *question, int type)
{
	struct {
		struct nlmsghdr header;
		int number;
	} part = { .header = { .nlmsg_len = sizeof part, .nlmsg_type = (uint16_t)type, .nlmsg_flags = NLM_F_MULTI,
			       .nlmsg_seq = question->nlmsg_seq, .nlmsg_pid = question->nlmsg_pid },
		   .number = type == LINE ? kernel->asked : 0 };

	if (kernel->asked <= kernel->interrupted)
		part.header.nlmsg_flags |= NLM_F_DUMP_INTR;
	sendto(kernel->fd, &part, sizeof part, 0, (const struct sockaddr *)to, sizeof *to);
}

static void *be_kernel(void *userdata)
{
	struct kernel *kernel = userdata;
	struct nlmsghdr question;
	struct sockaddr_nl from;
	socklen_t size = sizeof from;

	while (recvfrom(kernel->fd, &question, sizeof question, 0, (struct sockaddr *)&from, &size) > 0 &&
	       question.nlmsg_type == LINE) {
		kernel->asked++;
		for (int i = 0; i < PARTS; i++)
			send_part(kernel, &from, &question, LINE);
		send_part(kernel, &from, &question, NLMSG_DONE);
	}
	return NULL;
}

struct heard {
	int count, from_answer, result;
};

static int hear(struct nl_msg *answer, void *userdata)
{
	struct heard *heard = userdata;

	heard->count++;
	heard->from_answer = *(int *)nlmsg_data(nlmsg_hdr(answer));
	return heard->result;
}

/* A list of which the first @interrupted tellings are; returns what netlink_dump() does. */
static int dump(int interrupted, struct heard *heard, int *ret_asked)
{
	struct kernel kernel = { .interrupted = interrupted };
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	socklen_t size = sizeof address;
	CLEANUP_NETLINK struct nl_sock *sock = NULL;
	CLEANUP_MESSAGE struct nl_msg *question = netlink_request(LINE, NLM_F_DUMP, "", 0);
	CLEANUP_MESSAGE struct nl_msg *end = netlink_request(LINE + 1, 0, "", 0);
	pthread_t thread;
	int r;

	kernel.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_USERSOCK);
	assert_int_equal(bind(kernel.fd, (const struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(getsockname(kernel.fd, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(netlink_connect(NETLINK_USERSOCK, &sock), 0);
	nl_socket_set_peer_port(sock, address.nl_pid);
	assert_int_equal(pthread_create(&thread, NULL, be_kernel, &kernel), 0);
	alarm(20);
	r = netlink_dump(sock, question, hear, heard);
	nl_send_auto(sock, end);
	pthread_join(thread, NULL);
	alarm(0);
	close(kernel.fd);
	*ret_asked = kernel.asked;
	return r;
}

static void test_asked_again(void **state)
{
	static const struct {
		int interrupted, asked;
	} cases[] = { { 0, 1 }, { 1, 2 }, { 4, 5 }, { 100, 5 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct heard heard = { 0 };
		int asked;

		assert_int_equal(dump(cases[i].interrupted, &heard, &asked), 0);
		assert_int_equal(asked, cases[i].asked);
		assert_int_equal(heard.count, PARTS); /* of one answer */
		assert_int_equal(heard.from_answer, asked);
	}
}

static void test_failure_of_who_hears(void **state)
{
	struct heard heard = { .result = -NLE_NOMEM };
	int asked;

	(void)state;
	assert_int_equal(dump(0, &heard, &asked), -NLE_NOMEM);
	assert_int_equal(heard.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asked_again),
		cmocka_unit_test(test_failure_of_who_hears),
	};

	return cmocka_run_group_tests_name("netlink", tests, scratch_enter, scratch_leave);
}
