/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "../../liblayerbox/adapters/netns.h"
#include "../../liblayerbox/util/clock.h"

#define ADDRESS "10.99.0.7"

/* A process in a network namespace of its own, which does what each byte that it reads says. */
struct other {
	pid_t pid;
	int pid_fd, orders;
};

static void set_address(const char *text)
{
	struct ifreq request = { .ifr_name = "lo" };
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	inet_pton(AF_INET, text, &address.sin_addr);
	memcpy(&request.ifr_addr, &address, sizeof address);
	if (fd < 0 || ioctl(fd, SIOCSIFADDR, &request) < 0)
		_exit(3);
	close(fd);
}

/* What the kernel would say, to every socket of rtnetlink that there is. */
static void lie(void)
{
	struct {
		struct nlmsghdr header;
		struct ifaddrmsg body;
		struct rtattr attribute;
		struct in_addr address;
	} message = {
		.header = { .nlmsg_len = sizeof message, .nlmsg_type = RTM_NEWADDR },
		.body = { .ifa_family = AF_INET },
		.attribute = { .rta_len = RTA_LENGTH(sizeof(struct in_addr)), .rta_type = IFA_LOCAL },
	};
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), told = 0;
	FILE *table = fopen("/proc/self/net/netlink", "re");
	char line[256];

	inet_pton(AF_INET, ADDRESS, &message.address);
	while (table && fgets(line, sizeof line, table)) {
		unsigned protocol;

		if (sscanf(line, "%*s %u %u", &protocol, &to.nl_pid) == 2 && protocol == NETLINK_ROUTE && to.nl_pid &&
		    sendto(fd, &message, sizeof message, 0, (struct sockaddr *)&to, sizeof to) > 0)
			told++;
	}
	if (!told)
		_exit(4);
}

static void obey(int orders)
{
	char order;

	while (read(orders, &order, 1) == 1) {
		if (order == 'l')
			usleep(100000);
		if (order == 'l' || order == 'a')
			set_address(ADDRESS);
		if (order == 'o')
			set_address("10.99.0.70");
		if (order == 'L')
			usleep(100000), lie();
		if (order == 'e')
			usleep(100000), _exit(0);
		if (order == '?')
			(void)!write(orders, "!", 1);
	}
	_exit(0);
}

static void tell(const struct other *other, const char *orders)
{
	assert_int_equal(write(other->orders, orders, strlen(orders)), (ssize_t)strlen(orders));
}

/* Returns when all that was told before is done. */
static void await(const struct other *other)
{
	char answer;

	tell(other, "?");
	assert_int_equal(read(other->orders, &answer, 1), 1);
}

static struct other other_make(void)
{
	struct other other;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	other.pid = fork_mortal();
	if (other.pid == 0) {
		close(pair[0]);
		if (unshare(CLONE_NEWNET) < 0)
			_exit(2);
		obey(pair[1]);
	}
	close(pair[1]);
	other.orders = pair[0];
	other.pid_fd = netns_open_process(other.pid);
	assert_true(other.pid_fd >= 0);
	await(&other); /* it is there where it is to be */
	return other;
}

static void other_end(struct other *other)
{
	close(other->orders);
	assert_int_equal(end_of(other->pid), 0);
	close(other->pid_fd);
}

static void test_a_socket_is_made_there(void **state)
{
	struct other other = other_make();
	struct ifreq request = { .ifr_name = "lo" };
	struct sockaddr_in address;
	char own[64], after[64];
	int fd;

	(void)state;
	need_root();
	tell(&other, "a");
	await(&other);
	assert_true(readlink("/proc/thread-self/ns/net", own, sizeof own) > 0);
	fd = netns_socket(other.pid_fd, AF_INET, SOCK_DGRAM, 0);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(ioctl(fd, SIOCGIFADDR, &request), 0);
	memcpy(&address, &request.ifr_addr, sizeof address);
	assert_string_equal(inet_ntoa(address.sin_addr), ADDRESS);
	assert_true(readlink("/proc/thread-self/ns/net", after, sizeof after) > 0);
	assert_memory_equal(own, after, strlen("net:[0]"));
	close(fd);
	assert_int_equal(netns_socket(other.pid_fd, AF_INET, -1, 0), -EINVAL);
	other_end(&other);
}

static void test_an_address_that_is_there(void **state)
{
	struct other other = other_make();

	(void)state;
	tell(&other, "a");
	await(&other);
	assert_int_equal(netns_wait_for_address(other.pid_fd, ADDRESS, 10), 0);
	other_end(&other);
}

static void test_an_address_that_comes(void **state)
{
	struct other other = other_make();
	int64_t begin = clock_ms();

	(void)state;
	tell(&other, "ol");
	assert_int_equal(netns_wait_for_address(other.pid_fd, ADDRESS, 10), 0);
	assert_in_range(clock_ms() - begin, 90, 5000);
	other_end(&other);
}

static void test_an_address_that_does_not_come(void **state)
{
	struct other other = other_make();
	int64_t begin = clock_ms();

	(void)state;
	tell(&other, "o");
	assert_int_equal(netns_wait_for_address(other.pid_fd, ADDRESS, 1), -ETIMEDOUT);
	assert_in_range(clock_ms() - begin, 990, 5000);
	other_end(&other);
}

static void test_who_ends_is_not_waited_for(void **state)
{
	struct other other = other_make();
	int64_t begin = clock_ms();

	(void)state;
	tell(&other, "e");
	assert_int_equal(netns_wait_for_address(other.pid_fd, ADDRESS, 10), -ESRCH);
	assert_in_range(clock_ms() - begin, 90, 5000);
	assert_int_equal(end_of(other.pid), 0);
	assert_int_equal(netns_wait_for_address(other.pid_fd, ADDRESS, 10), -ESRCH);
	assert_int_equal(netns_socket(other.pid_fd, AF_INET, SOCK_DGRAM, 0), -ESRCH);
	close(other.orders);
	close(other.pid_fd);
}

static void test_only_the_kernel_is_believed(void **state)
{
	struct other other = other_make();

	(void)state;
	tell(&other, "L");
	assert_int_equal(netns_wait_for_address(other.pid_fd, ADDRESS, 1), -ETIMEDOUT);
	await(&other);
	other_end(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_socket_is_made_there),
		cmocka_unit_test(test_an_address_that_is_there),
		cmocka_unit_test(test_an_address_that_comes),
		cmocka_unit_test(test_an_address_that_does_not_come),
		cmocka_unit_test(test_who_ends_is_not_waited_for),
		cmocka_unit_test(test_only_the_kernel_is_believed),
	};

	return cmocka_run_group_tests_name("netns", tests, scratch_enter, scratch_leave);
}
