// The short names that operations people use; any other name stays as it was typed.

const EMOJI = {
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", ok_hand: "👌", wave: "👋", clap: "👏", raised_hands: "🙌", pray: "🙏",
  point_right: "👉", point_left: "👈", point_up: "☝️", point_down: "👇", muscle: "💪", eyes: "👀", raising_hand: "🙋", handshake: "🤝",
  smile: "😄", grinning: "😀", slightly_smiling_face: "🙂", wink: "😉", joy: "😂", sweat_smile: "😅", thinking_face: "🤔", neutral_face: "😐",
  disappointed: "😞", cry: "😢", scream: "😱", sleeping: "😴", sunglasses: "😎", robot_face: "🤖", ghost: "👻", skull: "💀", heart: "❤️",
  white_check_mark: "✅", heavy_check_mark: "✔️", ballot_box_with_check: "☑️", x: "❌", negative_squared_cross_mark: "❎", no_entry: "⛔",
  no_entry_sign: "🚫", octagonal_sign: "🛑", warning: "⚠️", exclamation: "❗", grey_exclamation: "❕", bangbang: "‼️", question: "❓",
  information_source: "ℹ️", rotating_light: "🚨", fire: "🔥", boom: "💥", zap: "⚡", bulb: "💡", fire_engine: "🚒", ambulance: "🚑",
  red_circle: "🔴", large_orange_circle: "🟠", orange_circle: "🟠", large_yellow_circle: "🟡", yellow_circle: "🟡",
  large_green_circle: "🟢", green_circle: "🟢", large_blue_circle: "🔵", blue_circle: "🔵", large_purple_circle: "🟣", purple_circle: "🟣",
  white_circle: "⚪", black_circle: "⚫", large_red_square: "🟥", large_orange_square: "🟧", large_yellow_square: "🟨",
  large_green_square: "🟩", large_blue_square: "🟦", white_large_square: "⬜", black_large_square: "⬛", white_medium_square: "◻️",
  small_red_triangle: "🔺", small_red_triangle_down: "🔻", arrow_up: "⬆️", arrow_down: "⬇️", arrow_right: "➡️", arrow_left: "⬅️",
  arrow_upper_right: "↗️", arrow_lower_right: "↘️", arrows_counterclockwise: "🔄", leftwards_arrow_with_hook: "↩️", repeat: "🔁",
  twisted_rightwards_arrows: "🔀", double_vertical_bar: "⏸️", pause_button: "⏸️", arrow_forward: "▶️", black_square_for_stop: "⏹️",
  fast_forward: "⏩", rewind: "⏪", hourglass: "⌛", hourglass_flowing_sand: "⏳", stopwatch: "⏱️", timer_clock: "⏲️", alarm_clock: "⏰",
  clock1: "🕐", clock3: "🕒", clock9: "🕘", calendar: "📅", date: "📅", spiral_calendar_pad: "🗓️",
  pushpin: "📌", round_pushpin: "📍", bookmark: "🔖", bookmark_tabs: "📑", memo: "📝", pencil: "📝", pencil2: "✏️", clipboard: "📋",
  page_facing_up: "📄", page_with_curl: "📃", newspaper: "📰", scroll: "📜", book: "📖", books: "📚", notebook: "📓", ledger: "📒",
  file_folder: "📁", open_file_folder: "📂", package: "📦", inbox_tray: "📥", outbox_tray: "📤", link: "🔗", paperclip: "📎",
  bar_chart: "📊", chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉", satellite: "🛰️", satellite_antenna: "📡",
  signal_strength: "📶", electric_plug: "🔌", battery: "🔋", computer: "💻", desktop_computer: "🖥️", gear: "⚙️", wrench: "🔧",
  hammer: "🔨", hammer_and_wrench: "🛠️", toolbox: "🧰", test_tube: "🧪", microscope: "🔬", mag: "🔍", mag_right: "🔎", key: "🔑",
  lock: "🔒", unlock: "🔓", shield: "🛡️", bell: "🔔", no_bell: "🔕", mega: "📣", loudspeaker: "📢", speech_balloon: "💬",
  mute: "🔇", speaker: "🔈", telephone_receiver: "📞", phone: "☎️", iphone: "📱", email: "✉️", envelope: "✉️",
  triangular_flag_on_post: "🚩", checkered_flag: "🏁", crossed_flags: "🎌", white_flag: "🏳️", construction: "🚧", traffic_light: "🚦",
  vertical_traffic_light: "🚦", rocket: "🚀", tada: "🎉", sparkles: "✨", star: "⭐", star2: "🌟", trophy: "🏆", medal: "🏅",
  performing_arts: "🎭", clapper: "🎬", dart: "🎯", game_die: "🎲", snowflake: "❄️", ice_cube: "🧊", fog: "🌫️", cloud: "☁️",
  partly_sunny: "⛅", sunny: "☀️", thunder_cloud_and_rain: "⛈️", rainbow: "🌈", ocean: "🌊", earth_africa: "🌍", globe_with_meridians: "🌐",
  coffee: "☕", beer: "🍺", popcorn: "🍿", bust_in_silhouette: "👤", busts_in_silhouette: "👥", firefighter: "🧑‍🚒", detective: "🕵️",
  lifebuoy: "🛟", ring_buoy: "🛟", sos: "🆘", new: "🆕", ok: "🆗", up: "🆙", cool: "🆒", free: "🆓", back: "🔙", soon: "🔜", end: "🔚",
  one: "1️⃣", two: "2️⃣", three: "3️⃣", four: "4️⃣", five: "5️⃣", heavy_plus_sign: "➕", heavy_minus_sign: "➖", infinity: "♾️",
};

/** The character for a short name without its colons, or null. */
export function emojiFor(name) {
  return Object.hasOwn(EMOJI, name) ? EMOJI[name] : null;
}
