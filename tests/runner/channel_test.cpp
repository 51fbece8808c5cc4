#include "runner/channel.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

namespace lade::runner {
namespace {

TEST(ChannelTest, WhatAChildSaidIsHeardThoughItDidNotListen) {
  ChannelPair channel = make_channel();
  channel.parent.send_go();
  channel.child.send_failure(failure_of(InvalidData("no such thing"), 3));
  channel.child.close();  // with the word unread, which the kernel tells as a reset first
  const Channel::Message message = channel.parent.receive();
  EXPECT_EQ(message.kind, Channel::Message::Kind::failure);
  EXPECT_EQ(message.failure.text, "no such thing");
  EXPECT_EQ(message.failure.step, 3);
  EXPECT_EQ(channel.parent.receive().kind, Channel::Message::Kind::closed);
}

}  // namespace
}  // namespace lade::runner
